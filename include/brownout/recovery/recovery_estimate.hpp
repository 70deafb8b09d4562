// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <optional>

namespace brownout::inline BROWNOUT_ABI {

/// How much longer a recovery takes, counted from now. Each of its quantiles may be unknown.
///
/// A plain value. No part is negative, and p50 is at most p90 where both are known.
struct recovery_estimate {
  /// The soonest that a recovery can show, for example the rest of an open period. Always known. It does not
  /// say how likely a recovery is.
  duration not_before{};

  std::optional<duration> p50{};  ///< recovered by then in 50 % of cases; empty: unknown
  std::optional<duration> p90{};  ///< recovered by then in 90 % of cases; empty: unknown

  /// This estimate with `more` added to each part, for example the dwell of a level. A negative `more` counts
  /// as zero. A sum that does not fit becomes the longest duration.
  [[nodiscard]] constexpr recovery_estimate later_by(duration more) const noexcept {
    const auto added = (std::max)(more, duration::zero());
    const auto later = [added](duration from_now) {
      return from_now > (duration::max)() - added ? (duration::max)() : from_now + added;
    };
    recovery_estimate all{.not_before = later(not_before)};
    if (p50) all.p50 = later(*p50);
    if (p90) all.p90 = later(*p90);
    return all;
  }

  /// The estimate for two recoveries that are both awaited and have one cause or depend on each other: the
  /// later one of each part. A part is unknown if it is unknown of one of them.
  [[nodiscard]] static constexpr recovery_estimate later_of(const recovery_estimate& one,
                                                            const recovery_estimate& other) noexcept {
    recovery_estimate all{.not_before = (std::max)(one.not_before, other.not_before)};
    if (one.p50 && other.p50) all.p50 = (std::max)(*one.p50, *other.p50);
    if (one.p90 && other.p90) all.p90 = (std::max)(*one.p90, *other.p90);
    return all;
  }

  friend constexpr bool operator==(const recovery_estimate&, const recovery_estimate&) noexcept = default;
};

}  // namespace brownout::inline BROWNOUT_ABI
