// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/detail/failure_times.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// Trips at the failure that makes `threshold` failures within `period`, however many calls succeeded.
///
///     brownout::failures_within{.threshold = 3, .period = 5min}
///
/// For dependencies with little traffic, where a share of calls has too few calls to be evidence, and where
/// successes between the failures keep `consecutive_failures` from tripping. Failsafe has the same rule:
/// `withFailureThreshold(3, period)`. With much traffic use `failure_rate`: a dependency with 1 % errors has
/// five failures a minute at 500 calls a minute.
///
/// Exact: the first and the last of these failures end less than `period` apart, to 1 us. Only failures of
/// the current closed epoch count, so failures before an outage do not count after it. A failure stops
/// counting when `period` has passed.
///
/// A success writes nothing and reads no clock. A failure reads the clock and makes two compare-and-swaps.
/// The times are in a ring beside the breaker: 128 bytes for a threshold up to 8, 1 KiB at the most.
struct failures_within {
  static constexpr std::uint32_t most = detail::most_failure_times;   ///< the highest `threshold`
  static constexpr duration shortest = std::chrono::milliseconds{1};  ///< the shortest `period`
  static constexpr duration longest = std::chrono::hours{24};         ///< the longest `period`

  /// Failures that open the circuit.
  /// Range: 1 to 64. While the breaker is in use it may change to at most 8, or to at most the threshold in
  /// use if that is higher.
  /// Default: 5, as `consecutive_failures`. Choose more than a healthy dependency shows in a `period`.
  std::uint32_t threshold = 5;

  /// The time within which these failures must come.
  /// Range: 1 ms to 24 h. Default: 1 min, as in the examples of Failsafe.
  duration period = std::chrono::minutes{1};

  /// @name What the concept detector asks for
  /// @{

  /// `detector` says what this means.
  static constexpr bool reads_clock = true;
  static constexpr bool times_calls = false;
  static constexpr bool has_window = true;
  static constexpr bool counts_overdue = false;
  /// The times of the latest failures.
  template <class Atomics>
  struct history : detail::failure_times<Atomics> {
    /// Room for as many times as the threshold.
    explicit history(const failures_within& policy)
        : detail::failure_times<Atomics>{(std::max)(policy.threshold, least_room)} {}
  };

  [[nodiscard]] constexpr bool is_bad(const call_sample& call) const noexcept { return call.failed; }
  [[nodiscard]] constexpr std::uint32_t first_marks(std::uint32_t /*most_marks*/) const noexcept { return 0; }
  [[nodiscard]] std::uint32_t record(auto& past, const call_sample& call) const noexcept {
    return call.failed ? past.record(call.epoch, call.ended, period) : 0;
  }
  [[nodiscard]] std::uint32_t read(const auto& past, const call_sample& call) const noexcept {
    return past.read(call.epoch, call.ended, period);
  }
  constexpr void refresh(std::uint32_t& /*failures*/, const auto& /*past*/,
                         const call_sample& /*call*/) const noexcept {}
  [[nodiscard]] constexpr judgement judge(std::uint32_t failures, std::uint32_t marks,
                                          const call_sample& call,
                                          std::uint32_t /*most_marks*/) const noexcept {
    return {marks, call.failed && failures >= threshold, transition_cause::failures_within};
  }
  [[nodiscard]] constexpr epoch_statistics statistics(std::uint32_t failures, std::uint32_t /*marks*/,
                                                      std::uint32_t /*most_marks*/) const noexcept {
    return {.failures = failures};
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate(std::uint32_t /*most_marks*/) const {
    detail::require_within<std::uint32_t>("failures_within.threshold", threshold, 1, most);
    detail::require_within("failures_within.period", period, shortest, longest);
  }
  /// Throws as above if the ring that was built for `in_use` has no room for `threshold` failures.
  void validate_replacing(const failures_within& in_use) const {
    const auto room = (std::max)(in_use.threshold, least_room);
    if (threshold <= room) return;
    detail::invalid_option("failures_within.threshold", detail::to_text(threshold),
                           "1 to " + detail::to_text(room) + " while the breaker is in use");
  }
  /// @}

 private:
  static constexpr std::uint32_t least_room = 8;
};

}  // namespace brownout::inline BROWNOUT_ABI
