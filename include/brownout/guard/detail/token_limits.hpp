// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/guard/rate.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The time of rate limiters: in 1/16 ns, so that the interval of 10 million tokens a second is exact to
/// 0.1 %. Counted from the construction of a limiter. It stops after 13 years: then there are no new tokens.
using ticks = std::int64_t;
inline constexpr ticks ticks_in_nanosecond = 16;
/// Leaves room above for a debt of two years.
inline constexpr ticks last_tick = 3 * (ticks{1} << 61);

[[nodiscard]] constexpr ticks to_ticks(duration value) noexcept {
  return value.count() * ticks_in_nanosecond;
}
/// Rounded up. A wait is never too short.
[[nodiscard]] constexpr duration to_duration(ticks value) noexcept {
  return duration{(value + ticks_in_nanosecond - 1) / ticks_in_nanosecond};
}

/// The time `now` since `origin`. A time before `origin` counts as `origin`.
[[nodiscard]] constexpr ticks ticks_since(time_point origin, time_point now) noexcept {
  if (now <= origin) return 0;
  // Without a sign, the difference of any two times fits.
  const auto passed = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                      static_cast<std::uint64_t>(origin.time_since_epoch().count());
  constexpr std::uint64_t most{last_tick / ticks_in_nanosecond};
  return static_cast<ticks>((std::min)(passed, most)) * ticks_in_nanosecond;
}

/// A number of tokens: `whole` and `part`, which is within [0, 1). Below 0: reserved ones are owed.
struct token_count {
  std::int64_t whole = 0;
  double part = 0;
};

/// The options of a rate limiter as its arithmetic needs them.
///
/// The state of a limiter is its *arrival time*: the moment at which the bucket will be full again. It lies
/// ahead of now by one `interval` for each token that is missing. This is the generic cell rate algorithm of
/// ATM networks (ITU-T I.371) as a virtual schedule.
struct token_limits {
  /// No bucket takes longer to fill, and no debt longer to pay.
  static constexpr duration longest_fill = std::chrono::hours{24 * 365};

  ticks interval = 0;    ///< a token's worth of time; 0: there are never any tokens
  ticks tolerance = -1;  ///< how far the arrival time may lie ahead after an admission: the whole bucket
  ticks most_wait = 0;   ///< how much further it may lie ahead after a reservation
  ticks furthest = -1;   ///< if it lies further ahead than this, the clock was set back
  std::uint32_t burst = 1;
  double per_second = 0;

  /// Precondition: the options are valid.
  [[nodiscard]] static token_limits of(const rate& given, std::uint32_t burst, duration most_wait) noexcept {
    token_limits made;
    made.burst = burst;
    made.most_wait = to_ticks(most_wait);
    if (given.tokens() > 0) {
      // Rounded up, so that there is never more than the rate.
      const auto period = static_cast<double>(given.period().count()) * double{ticks_in_nanosecond};
      made.interval = static_cast<ticks>(std::ceil(period / given.tokens()));
      made.tolerance = made.interval * burst;
      made.per_second = given.per_second();
      made.furthest = made.tolerance + made.most_wait;
    }
    return made;
  }

  [[nodiscard]] constexpr bool is_closed() const noexcept { return interval == 0; }

  /// The tokens that are there. Precondition: not closed.
  [[nodiscard]] token_count tokens_at(ticks now, ticks arrival) const noexcept {
    const auto there = tolerance - std::clamp<ticks>(arrival - now, 0, furthest);
    auto whole = there / interval;
    if (whole * interval > there) --whole;  // rounded down, also below 0
    return {whole, static_cast<double>(there - whole * interval) / static_cast<double>(interval)};
  }

  /// How far ahead the arrival time lies when so many tokens are there. Precondition: not closed.
  [[nodiscard]] ticks debt_with(token_count tokens) const noexcept {
    constexpr auto most = to_ticks(longest_fill);
    constexpr double down = 1 - 1.0 / (std::uint64_t{1} << 50);  // rounding is never in favour of callers
    if (tokens.whole >= burst) return 0;
    if (tokens.whole < -(most / interval)) return most;
    const auto part = static_cast<ticks>(tokens.part * static_cast<double>(interval) * down);
    return (std::min)(tolerance - tokens.whole * interval - part, most);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
