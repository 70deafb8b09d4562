// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <chrono>
#include <concepts>
#include <ctime>

namespace brownout::inline BROWNOUT_ABI {

/// The library's time: monotonic, in nanoseconds. Never the wall clock, so that a stepped date can neither
/// shorten nor lengthen an open period.
using duration = std::chrono::nanoseconds;
/// A moment on a clock of the library: the time since the clock began.
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

namespace detail {

/// Converts a duration of any unit, integral or floating, to the library's unit. A duration of more than a
/// century becomes the longest duration (or the most negative one). NaN becomes zero.
template <class Rep, class Period>
[[nodiscard]] constexpr duration saturated(std::chrono::duration<Rep, Period> value) noexcept {
  using given = std::chrono::duration<Rep, Period>;
  constexpr std::chrono::duration<double> century{std::chrono::hours{24 * 36525}};
  const std::chrono::duration<double> seconds{value};  // has room for any value
  if (seconds > century) return (duration::max)();
  if (seconds < -century) return (duration::min)();
  if (!(seconds <= century)) return duration::zero();
  if constexpr (std::convertible_to<given, duration>) {
    return value;
  } else {
    // Floating, or in units that are no whole number of nanoseconds. In integers the conversion could
    // overflow.
    const std::chrono::duration<double, duration::period> nanoseconds{value};
    return duration{static_cast<duration::rep>(nanoseconds.count())};
  }
}

}  // namespace detail

/// A coarse reading may be at most this much behind a precise reading of the same moment: 10 ms. This is the
/// longest tick of usual Linux kernels; most have one of 1 ms or 4 ms.
inline constexpr duration coarse_resolution = std::chrono::milliseconds{10};

namespace detail {

template <class C>
inline constexpr bool has_coarse_now = requires(const C& clock) {
  clock.coarse_now();
};
template <class C>
inline constexpr bool has_wait_for = requires(const C& clock, duration how_long) {
  clock.wait_for(how_long);
};

}  // namespace detail

/// A clock that a component is given.
///
/// `now()` returns the precise time. A clock may also have `coarse_now()`: a cheaper reading, never later
/// than what `now()` returns at the same moment, and at most `coarse_resolution` earlier. Components read it
/// where 10 ms do not matter. If a clock has no `coarse_now()`, components read `now()` instead.
///
///     struct my_clock {
///       brownout::time_point now() const noexcept;         // required
///       brownout::time_point coarse_now() const noexcept;  // optional
///       void wait_for(brownout::duration) const;           // optional: how a `retry` waits between attempts
///     };
///
/// Without `wait_for` what has to wait blocks its thread.
///
/// Beyond the syntax: neither reading goes back (as seen through happens-before); both may stand still; a
/// copy of a clock tells the same time.
//
// Version 14 would break its lines before noexcept.
// clang-format off
template <class C>
concept clock_source = std::copyable<C> && requires(const C& clock) {
  { clock.now() } noexcept -> std::same_as<time_point>;
} && (!detail::has_coarse_now<C> || requires(const C& clock) {
  { clock.coarse_now() } noexcept -> std::same_as<time_point>;
});
// clang-format on

// The rule for the two kinds of reading, wherever a component compares times:
//
// 1. A length of time (how long a call took) is measured from a precise reading to a precise one.
// 2. A deadline is counted from a precise moment, and only a precise reading shows that it has passed. A
//    coarse reading may only show that more than `coarse_resolution` is left. A precise reading is at most
//    that much later, so it gives the same answer. So no deadline is early, and none is late.
// 3. A time window is written and read with the same kind of reading. The time of a call in it is at most
//    `coarse_resolution` too early, and so is the time at which it is read.
namespace detail {

/// The coarse reading of `clock`, or the precise one if it has no other.
template <clock_source C>
[[nodiscard]] time_point coarse_now(const C& clock) noexcept {
  if constexpr (has_coarse_now<C>) {
    return clock.coarse_now();
  } else {
    return clock.now();
  }
}

#if defined(CLOCK_MONOTONIC_COARSE)
/// The system's coarse clock, or its precise one if the coarse clock may lie further behind than
/// `coarse_resolution`. `resolution_of` is `clock_getres`, or a replacement in tests.
[[nodiscard]] inline clockid_t coarse_clock(int (*resolution_of)(clockid_t, timespec*)) noexcept {
  timespec tick{};
  const bool is_known = resolution_of(CLOCK_MONOTONIC_COARSE, &tick) == 0;
  return is_known && tick.tv_sec == 0 && duration{tick.tv_nsec} <= coarse_resolution ? CLOCK_MONOTONIC_COARSE
                                                                                     : CLOCK_MONOTONIC;
}
#endif

}  // namespace detail

/// The default clock: `std::chrono::steady_clock`.
///
/// Thread-safe. Wait-free where the platform's monotonic clock is: on Linux, a reading is a vDSO call.
struct monotonic_clock {
  /// The time since some moment in the past, which is the same for the whole process. About 25 ns on Linux.
  [[nodiscard]] time_point now() const noexcept { return std::chrono::steady_clock::now(); }

  /// On Linux: the time of the kernel's latest tick. Costs about 4 ns. Elsewhere, and on a kernel whose tick
  /// is longer than `coarse_resolution`, as `now()`.
  [[nodiscard]] time_point coarse_now() const noexcept {
#if defined(CLOCK_MONOTONIC_COARSE)
    // The steady_clock of both standard libraries is CLOCK_MONOTONIC, so the two readings can be compared.
    static const clockid_t id = detail::coarse_clock(&clock_getres);
    timespec read{};
    clock_gettime(id, &read);
    return time_point{std::chrono::seconds{read.tv_sec} + duration{read.tv_nsec}};
#else
    return now();
#endif
  }
};
static_assert(clock_source<monotonic_clock>);

}  // namespace brownout::inline BROWNOUT_ABI
