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

/// When those who are turned away are told to come back: spread over the time in which recovery is likely, so
/// that they neither all come too early nor all at once.
///
/// An HTTP Retry-After counts whole seconds: round up.
struct retry_after_policy {
  /// From when on they come back while p50 is unknown, 1 ms to 24 h. Default 30 s: the longest open period of
  /// a breaker with its default options, jitter and a Retry-After of the dependency's aside.
  duration fallback = std::chrono::seconds{30};

  /// Nobody is told to come back sooner, 0 to 12 h. Default 1 s: in whole seconds less would be *at once*.
  duration shortest = std::chrono::seconds{1};

  /// Their return is spread over at least this, 1 ms to 12 h. Default 10 s: whole seconds then still leave
  /// ten answers.
  duration narrowest = std::chrono::seconds{10};

  /// Nobody is told to come back later, `shortest` + `narrowest` to 24 h. Default 5 min: predictions can be
  /// wrong, and who stays away longer misses the recovery.
  duration longest = std::chrono::minutes{5};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    detail::require_within("retry_after_policy.fallback", fallback, 1ms, 24h);
    detail::require_within("retry_after_policy.shortest", shortest, 0s, 12h);
    detail::require_within("retry_after_policy.narrowest", narrowest, 1ms, 12h);
    detail::require_within("retry_after_policy.longest", longest, shortest + narrowest, 24h);
  }

  /// How long one caller is told to stay away. Uniform between p50 and p90, but never before `not_before`:
  /// each comes back when recovery is as likely as not, or later. Without a p50 from `fallback` on, without a
  /// p90 up to twice the first moment. The limits of this policy win over all of these, and move the times
  /// rather than cut them off: beyond `longest`, callers are spread over the last `narrowest` before it.
  ///
  /// `chance` is the caller's share of that time, in [0, 1): a random number, a new one for each answer and
  /// not the same in two processes. Preconditions: it is in range, and `validate()` passes. Pure, wait-free.
  [[nodiscard]] constexpr duration retry_after(const recovery_estimate& recovery,
                                               double chance) const noexcept {
    BROWNOUT_PRECONDITION(chance >= 0 && chance < 1,
                          "retry_after_policy::retry_after(): chance is in [0, 1)");
    const duration likely = (std::max)(recovery.p50.value_or(fallback), recovery.not_before);
    const duration first = std::clamp(likely, shortest, longest - narrowest);
    const duration last = std::clamp(recovery.p90.value_or(2 * first), first + narrowest, longest);
    const auto spread = static_cast<double>((last - first).count());
    return first + duration{static_cast<duration::rep>(chance * spread)};
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
