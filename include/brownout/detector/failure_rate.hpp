// SPDX-License-Identifier: BSL-1.0
#pragma once

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
///     brownout::failure_rate<>{}                                                       // 50 % of 100 calls
///     brownout::failure_rate<brownout::time_window>{.threshold = 0.2, .window = {30s}}  // 20 % of 30 s
///
/// A count window judges alike at any call rate, and its successes cost nothing while it is full and clean. A
/// time window forgets by itself, at the price of a clock reading and a write for each call.
template <class Window = count_window>
struct failure_rate {
  double threshold = 0.5;  ///< share of calls, in (0, 1]; default as resilience4j, Hystrix and opossum

  /// Calls in the window before a share is taken for evidence: 1 to the window's size; of a time window, to
  /// 300,000. Default 20, as Hystrix: with fewer, chance decides.
  std::uint32_t minimum_calls = 20;

  Window window{};

  // What the concept `detector` asks for; what each of these means is said there.
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
  [[nodiscard]] auto read(const auto& past, const call_sample& call) const noexcept {
    return past.read(call.epoch, call.ended);
  }
  [[nodiscard]] constexpr judgement judge(window_counts seen, std::uint32_t marks, const call_sample& call,
                                          std::uint32_t most_marks) const noexcept {
    return detail::windowed_share<Window>::judge(*this, seen, call.failed, marks, most_marks);
  }
  [[nodiscard]] epoch_statistics statistics(const auto& past, std::uint32_t /*marks*/, const call_sample& at,
                                            std::uint32_t /*most_marks*/) const noexcept {
    const auto seen = past.read(at.epoch, at.ended);
    return {.calls = seen.calls, .failures = seen.bad};
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate(std::uint32_t /*most_marks*/) const {
    detail::windowed_share<Window>::validate("failure_rate", threshold, minimum_calls, window);
  }
  void validate_replacing(const failure_rate& in_use) const {
    detail::windowed_share<Window>::validate_replacing("failure_rate", window, in_use.window);
  }
};
static_assert(detector<failure_rate<count_window>>);
static_assert(detector<failure_rate<time_window>>);

}  // namespace brownout::inline BROWNOUT_ABI
