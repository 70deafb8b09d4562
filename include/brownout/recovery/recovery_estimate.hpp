// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <optional>

namespace brownout::inline BROWNOUT_ABI {

/// How much longer it takes to recover, counted from now: an interval, or *unknown*.
///
/// A value; nothing in it is negative, and p50 is at most p90 where both are known.
struct recovery_estimate {
  /// The soonest that recovery can show, such as the time left until an open circuit lets the next probe
  /// pass. Always known; alone it says nothing of how likely recovery is.
  duration not_before{};

  std::optional<duration> p50{};  ///< recovered by then in one of two cases; nothing: unknown
  std::optional<duration> p90{};  ///< recovered by then in nine of ten cases; nothing: unknown

  /// The same when something of known length must follow, such as a level's dwell. A negative `more` is none;
  /// a sum that does not fit is as long as can be.
  [[nodiscard]] constexpr recovery_estimate later_by(duration more) const noexcept {
    const auto later = [more = (std::max)(more, duration::zero())](duration from_now) {
      return from_now > (duration::max)() - more ? (duration::max)() : from_now + more;
    };
    recovery_estimate all{.not_before = later(not_before)};
    if (p50) all.p50 = later(*p50);
    if (p90) all.p90 = later(*p90);
    return all;
  }

  friend constexpr bool operator==(const recovery_estimate&, const recovery_estimate&) noexcept = default;
};

}  // namespace brownout::inline BROWNOUT_ABI
