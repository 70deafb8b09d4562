// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The numbers of a retry budget that its operations need, in the units of `budget_word`.
struct budget_rules {
  std::uint32_t one_success;      // what a success is worth
  std::uint32_t sampled_success;  // what `budget_word::sample` successes are worth together
  std::uint32_t least;            // at this many tokens forgetting stops
  std::uint32_t step;             // a tenth of the tokens is forgotten once in so many ticks
};

/// All that changes in a retry budget, as one 64-bit number:
///
///     63..32  time up to which tokens are forgotten, in ticks since the budget was built
///     31..0   tokens, in units of 1/1024
///
/// The time has room for 13 years; after that no tokens are forgotten. There is room for 4,194,303 tokens. A
/// budget that is full of them takes no more.
struct budget_word {
  static constexpr std::uint32_t token = 1024;
  static constexpr duration tick = std::chrono::milliseconds{100};
  static constexpr std::uint32_t longest = ~std::uint32_t{0};

  /// From this many tokens on, successes are deposited in groups of `sample`.
  static constexpr std::uint32_t plenty = 20 * token;
  static constexpr std::uint32_t sample = 64;

  std::uint64_t bits = 0;

  [[nodiscard]] static constexpr budget_word of(std::uint32_t at, std::uint32_t tokens) noexcept {
    return {std::uint64_t{at} << 32 | tokens};
  }
  [[nodiscard]] constexpr std::uint32_t ticks() const noexcept {
    return static_cast<std::uint32_t>(bits >> 32);
  }
  [[nodiscard]] constexpr std::uint32_t tokens() const noexcept { return static_cast<std::uint32_t>(bits); }

  [[nodiscard]] constexpr budget_word plus(std::uint32_t more) const noexcept {
    return of(ticks(), tokens() + (std::min)(more, longest - tokens()));
  }

  /// The word at a later time: a tenth of the tokens is forgotten for each whole step. A time that is earlier
  /// than that of the word changes nothing.
  [[nodiscard]] constexpr budget_word at(std::uint32_t now, const budget_rules& rules) const noexcept {
    if (now <= ticks() || now - ticks() < rules.step) return *this;
    auto steps = (now - ticks()) / rules.step;
    const auto until = ticks() + steps * rules.step;
    auto left = tokens();
    // At most 200 rounds: that many tenths leave nothing of the largest number.
    for (; steps != 0 && left > rules.least; --steps) {
      left = (std::max)(rules.least, left - left / 10 - 1);
    }
    return of(until, left);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
