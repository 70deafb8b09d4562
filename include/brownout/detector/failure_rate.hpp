// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/count_window.hpp"
#include "brownout/detector/detail/window_counts.hpp"
#include "brownout/detector/detail/windowed_share.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/time_window.hpp"
#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// Trips at a failure when failures make up at least `threshold` of the calls in a window.
///
///     brownout::failure_rate<>{}                                                        // 50 % of 100 calls
///     brownout::failure_rate<brownout::time_window>{.threshold = 0.2, .window = {30s}}  // 20 % of 30 s
///
/// A count window judges in the same way at any call rate. A success costs nothing while the window is full
/// and has no failure in it. A time window forgets old calls by itself. For this, each call reads the clock
/// and writes a word.
///
/// A success never opens the circuit, not even the one that brings the window to `minimum_calls`. The next
/// failure does.
template <class Window = count_window>
struct failure_rate {
  /// Share of the calls in the window that must fail.
  /// Range: above 0, up to 1. The number of failures is exact for each way to write a share: of 10 calls,
  /// `0.6`, `0.6F` and `60 * 0.01` each mean 6. Two shares that differ by less than a millionth are the same.
  /// Default: 0.5, as in resilience4j, Hystrix and opossum.
  double threshold = 0.5;

  /// Calls that the window must hold before their share is evidence.
  /// Range: 1 to the window's size; of a time window, 1 to 300,000. 0 means the default.
  /// Default: 20, as in Hystrix, because with fewer calls chance decides; a count window of fewer than 20
  /// calls must be full. `circuit_breaker::detector()` returns the number in force.
  std::uint32_t minimum_calls = 0;

  /// Which calls are counted: `count_window` or `time_window`. Default: the latest 100 calls, or those of the
  /// latest 10 s.
  Window window{};

  /// @name What the concept detector asks for
  /// @{

  /// `detector` says what this means.
  static constexpr bool reads_clock = Window::reads_clock;
  static constexpr bool times_calls = false;
  static constexpr bool has_window = true;
  static constexpr bool counts_overdue = false;
  template <class Atomics>
  using history = typename detail::windowed_share<Window>::template history<Atomics>;

  [[nodiscard]] constexpr bool is_bad(const call_sample& call) const noexcept { return call.failed; }
  [[nodiscard]] constexpr std::uint32_t first_marks(std::uint32_t /*most_marks*/) const noexcept {
    return detail::windowed_share<Window>::dirty;
  }
  [[nodiscard]] auto record(auto& past, const call_sample& call) const noexcept {
    if (call.in_flight) return past.read(call.epoch, call.ended);
    return past.record(call.epoch, call.failed, call.ended);
  }
  static void record_good(auto& past, const call_sample& call) noexcept requires(Window::reads_clock) {
    static_cast<void>(past.record(call.epoch, false, call.ended));
  }
  [[nodiscard]] auto read(const auto& past, const call_sample& call) const noexcept {
    return past.read(call.epoch, call.ended);
  }
  void refresh(detail::window_counts& evidence, const auto& past, const call_sample& call) const noexcept {
    if (!call.failed) evidence = read(past, call);
  }
  [[nodiscard]] constexpr judgement judge(detail::window_counts seen, std::uint32_t marks,
                                          const call_sample& call, std::uint32_t most_marks) const noexcept {
    return detail::windowed_share<Window>::judge(*this, transition_cause::failure_rate, seen, call.failed,
                                                 marks, most_marks);
  }
  [[nodiscard]] constexpr epoch_statistics statistics(detail::window_counts seen, std::uint32_t /*marks*/,
                                                      std::uint32_t /*most_marks*/) const noexcept {
    return {.calls = seen.calls, .failures = seen.bad};
  }

  [[nodiscard]] constexpr failure_rate with_defaults() const noexcept {
    return {threshold, detail::windowed_share<Window>::minimum_calls(*this), window};
  }
  /// Throws `std::invalid_argument` naming field, value and range.
  void validate(std::uint32_t /*most_marks*/) const {
    detail::windowed_share<Window>::validate("failure_rate", *this);
  }
  /// The window keeps its size. Throws as above.
  void validate_replacing(const failure_rate& in_use) const {
    detail::windowed_share<Window>::validate_replacing("failure_rate", window, in_use.window);
  }
  /// @}
};

}  // namespace brownout::inline BROWNOUT_ABI
