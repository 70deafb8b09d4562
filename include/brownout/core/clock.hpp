// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <chrono>
#include <concepts>

namespace brownout::inline BROWNOUT_ABI {

/// The library's time: monotonic, in nanoseconds. Never the wall clock, so that a stepped date can neither
/// shorten nor lengthen an open period.
using duration = std::chrono::nanoseconds;
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

namespace detail {

/// Converts a duration of any unit, integral or floating, to the library's unit. A length of more than a
/// century becomes the longest duration, or the most negative one. NaN becomes zero.
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

/// Tells the time to a component that was given it.
///
/// Beyond the syntax: never goes back (as seen through happens-before), may stand still; a copy tells the
/// same time.
template <class C>
concept clock_source = std::copyable<C> && requires(const C& clock) {
  { clock.now() }
  noexcept->std::same_as<time_point>;
};

/// The default clock: `std::chrono::steady_clock`.
///
/// Thread-safe and wait-free wherever the platform's monotonic clock is (on Linux a vDSO call, about 25 ns).
struct monotonic_clock {
  /// Since some moment in the past, the same for the whole process.
  [[nodiscard]] time_point now() const noexcept { return std::chrono::steady_clock::now(); }
};
static_assert(clock_source<monotonic_clock>);

}  // namespace brownout::inline BROWNOUT_ABI
