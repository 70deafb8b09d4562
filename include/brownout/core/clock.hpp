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

/// A duration of any unit in the library's own; what is beyond a century is as long as can be.
template <class Rep, class Period>
[[nodiscard]] constexpr duration saturated(std::chrono::duration<Rep, Period> value) noexcept {
  constexpr std::chrono::duration<double> century{std::chrono::hours{24 * 36525}};
  const std::chrono::duration<double> seconds{value};  // which has room for any value
  if (seconds > century) return (duration::max)();
  if (seconds < -century) return (duration::min)();
  return value;
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
