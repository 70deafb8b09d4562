// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/detail/time_history.hpp"
#include "brownout/detector/detail/window_counts.hpp"
#include "brownout/version.hpp"

#include <chrono>

namespace brownout::inline BROWNOUT_ABI {

/// Counts the calls that ended within the latest `length` of time, however many they are.
///
/// The window slides in tenths: at any moment it holds the present tenth and the nine tenths before it. A
/// call may leave it up to `coarse_resolution` (10 ms) late, because the coarse clock is read, unless calls
/// are timed.
struct time_window {
  static constexpr duration shortest = std::chrono::milliseconds{100};  ///< the shortest `length`
  static constexpr duration longest = std::chrono::hours{1};            ///< the longest `length`

  /// The time that the window looks back.
  /// Range: 100 ms to 1 h. Default: 10 s, as in opossum and Hystrix.
  duration length = std::chrono::seconds{10};

  static constexpr bool reads_clock = true;  ///< true: the end of each call tells its place in the window
  /// The counts of a breaker with this window.
  template <class Atomics>
  using history = detail::time_history<Atomics>;

  /// Never true, because calls leave the window by time.
  [[nodiscard]] static constexpr bool is_settled(detail::window_counts /*seen*/) noexcept { return false; }

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const { detail::require_within("time_window.length", length, shortest, longest); }
};

}  // namespace brownout::inline BROWNOUT_ABI
