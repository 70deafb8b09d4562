// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/open_period.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The open period of an open era, in 52 bits. The deadline of the era is computed from it.
///
///     51..41 number in the outage | 40 waits for refused calls | 39..0 least length, us
///
/// 40 bits of microseconds are 12 days; a period lasts 36 h at most.
struct outage {
  static constexpr int length_bits = 40;
  static constexpr std::uint64_t length_mask = (std::uint64_t{1} << length_bits) - 1;

  std::uint64_t bits = 0;

  /// No open period: the next one is the first of an outage.
  static constexpr std::uint64_t none = 1;

  static outage of(std::uint32_t number, bool waits_for_refusals, duration least) noexcept {
    const auto length = std::chrono::ceil<std::chrono::microseconds>(least).count();
    return {std::uint64_t{number} << (length_bits + 1) |
            std::uint64_t{waits_for_refusals ? 1U : 0U} << length_bits |
            (static_cast<std::uint64_t>(length) & length_mask)};
  }

  [[nodiscard]] std::uint32_t number() const noexcept {
    return static_cast<std::uint32_t>(bits >> (length_bits + 1));
  }
  /// Whether the period still waits for refused calls after its least length, if `refused` calls were refused
  /// so far.
  [[nodiscard]] bool waits_after(std::uint32_t refused) const noexcept {
    return (bits >> length_bits & 1) != 0 &&
           refused < (std::min)(number() + adaptive_period::head_start, control_word::most_refused);
  }
  [[nodiscard]] duration least() const noexcept {
    return std::chrono::microseconds{static_cast<std::int64_t>(bits & length_mask)};
  }

  /// The period after this one. `begins`: it is the first period of a new outage. `retry_after`: the wait
  /// that the failed call asked for (its Retry-After). It can only lengthen the period, which then ends when
  /// the dependency has said, and does not wait for refused calls.
  [[nodiscard]] outage next(const open_period& rule, bool begins, duration retry_after,
                            double chance) const noexcept {
    const auto following = begins ? 1U : (std::min)(number() + 1, open_period::most_number);
    const auto least_length = rule.least(following, least(), chance);
    const bool is_told = retry_after > least_length;
    return of(following, rule.waits_for_refusals() && !is_told, is_told ? retry_after : least_length);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
