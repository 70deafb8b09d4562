// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/caller_place.hpp"
#include "brownout/guard/call_priority.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Up to which part of an adaptive limit calls are admitted, by class and caller: four shares of 16 bits
/// each, in units of 1/32768, the highest class in the lowest bits. One number, so that all of them are
/// replaced at once.
struct class_lines {
  static constexpr std::uint32_t whole = 32'768;

  std::uint64_t bits = 0;

  [[nodiscard]] static constexpr class_lines of(
      const std::array<double, call_priority_count>& shares) noexcept {
    class_lines made;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      made.bits |= static_cast<std::uint64_t>(shares[i] * whole) << (16 * i);
    }
    return made;
  }
  [[nodiscard]] constexpr std::uint32_t share(std::size_t number) const noexcept {
    return static_cast<std::uint32_t>(bits >> (16 * number) & 0xffff);
  }

  /// The line of a caller, in units of 1/32768. Without a key (0) it is the share of the class. With a key it
  /// lies between that share and the middle to the share of the next class, by the place of the caller: at
  /// every number of calls in flight the callers with the lowest places are admitted and the others refused.
  /// The rest of the way stays free, so that the last callers of a class are served before the first ones of
  /// the next class. The lowest class has a band as wide as the band of the class before it.
  [[nodiscard]] constexpr std::uint32_t line(call_priority priority, std::uint64_t caller) const noexcept {
    constexpr std::size_t lowest = call_priority_count - 1;
    const auto number = (std::min)(static_cast<std::size_t>(priority), lowest);
    const auto upper = share(number);
    if (caller == 0) [[likely]]
      return upper;
    const auto next = share((std::min)(number + 1, lowest));
    const auto before = share((std::min)(number, lowest - 1));
    const auto band = number == lowest ? (std::min)(before - upper, upper - 1) : upper - next;
    return upper - static_cast<std::uint32_t>(band * 0.5 * caller_place(caller));
  }

  /// As many calls of this line may be in flight: at least one.
  [[nodiscard]] static constexpr std::uint32_t places(std::uint32_t limit, std::uint32_t line) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{limit} * line + whole - 1) / whole);
  }
};
static_assert(class_lines::places(10, class_lines::of({1, 0.9, 0.8, 0.7}).share(1)) == 9);
static_assert(class_lines::places(1, class_lines::of({1, 0.9, 0.8, 0.01}).share(3)) == 1);

}  // namespace brownout::inline BROWNOUT_ABI::detail
