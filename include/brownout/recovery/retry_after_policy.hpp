// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/recovery/recovery_estimate.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>

namespace brownout::inline BROWNOUT_ABI {

/// When a refused caller is told to come back. Callers are spread over the time in which the recovery is
/// likely, so that they do not all come too early or all at once.
///
/// An HTTP Retry-After counts whole seconds: round up.
struct retry_after_policy {
  /// The first moment to come back while p50 is unknown: 1 ms to 24 h. Default 30 s: callers
  /// then come back after 30 s to 1 min, the longest open period of a breaker with default options.
  duration fallback = std::chrono::seconds{30};

  /// The shortest answer: 0 to 12 h. Default 1 s: in whole seconds, less would mean at once.
  duration shortest = std::chrono::seconds{1};

  /// The returns are spread over at least this time: 1 ms to 12 h. Default 10 s: in whole seconds that makes
  /// ten different answers.
  duration narrowest = std::chrono::seconds{10};

  /// The longest answer: `shortest` + `narrowest` to 24 h. Default 5 min: a prediction can be wrong, and a
  /// caller that stays away longer misses the recovery.
  duration longest = std::chrono::minutes{5};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    detail::require_within("retry_after_policy.fallback", fallback, 1ms, 24h);
    detail::require_within("retry_after_policy.shortest", shortest, 0s, 12h);
    detail::require_within("retry_after_policy.narrowest", narrowest, 1ms, 12h);
    detail::require_within("retry_after_policy.longest", longest, shortest + narrowest, 24h);
  }

  /// How long one caller is told to stay away: uniform between p50 and p90, but not before `not_before`.
  ///
  /// Without a p50 the time begins at `fallback`, or at `known` if that is earlier: the time at which the
  /// recovery comes if nothing unexpected happens, for example the end of an open period. Without a p90 it
  /// ends at twice its beginning. If the time begins at `known`, it ends a quarter later; if `known` lies in
  /// it, it ends there. The limits of this policy win: they move the
  /// times and do not cut them off. Beyond `longest`, callers are spread over the last `narrowest` before it.
  ///
  /// `chance`: a random number in [0, 1), new for each answer and different in each process. Preconditions:
  /// it is in range, and `validate()` passes. Pure, wait-free.
  [[nodiscard]] constexpr duration retry_after(const recovery_estimate& recovery, double chance,
                                               duration known = (duration::max)()) const noexcept {
    BROWNOUT_PRECONDITION(chance >= 0 && chance < 1,
                          "retry_after_policy::retry_after(): chance is in [0, 1)");
    const duration unpredicted = (std::min)(fallback, known);
    const duration likely = (std::max)(recovery.p50.value_or(unpredicted), recovery.not_before);
    const bool is_known = !recovery.p50 && known <= (std::max)(fallback, recovery.not_before);
    const duration least = is_known ? (std::max)(shortest, likely / 4) : narrowest;
    const duration first = std::clamp(likely, shortest, longest - narrowest);
    const duration guessed = recovery.p50 ? 2 * first : (std::min)(2 * first, known);
    const duration until = is_known ? first : recovery.p90.value_or(guessed);
    const duration last = std::clamp(until, (std::min)(first + least, longest), longest);
    const auto spread = static_cast<double>((last - first).count());
    return first + duration{static_cast<duration::rep>(chance * spread)};
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
