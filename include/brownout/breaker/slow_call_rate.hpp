// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/windowed_share.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/invalid_option.hpp"
#include "brownout/window/count_window.hpp"
#include "brownout/window/detector.hpp"
#include "brownout/window/time_window.hpp"
#include "brownout/window/window_reading.hpp"

#include <chrono>
#include <cstdint>

namespace brownout {

/// Trips at a slow call when slow calls, however they ended, make up at least `threshold` of the calls in a
/// window.
///
///     brownout::any_of{brownout::failure_rate<>{}, brownout::slow_call_rate<>{.slower_than = 2s}}
///
/// Half-open, a slow call is a failed one.
/// Each call costs two clock readings more. A limit near what the dependency needs when it is merely busy
/// refuses calls that would have succeeded: stay above three quarters of the time-out.
template <class Window = count_window>
struct slow_call_rate {
  double threshold = 0.5;  ///< share of calls, in (0, 1]; default as for failures

  /// What takes longer is slow: 1 us to 24 h. No default: only the caller knows.
  duration slower_than{};

  /// Calls in the window before a share is taken for evidence: 1 to the window's size; of a time window, to
  /// 300,000. Default 20, as for failures.
  std::uint32_t minimum_calls = 20;

  Window window{};

  static constexpr bool reads_clock = true;
  static constexpr bool times_calls = true;
  static constexpr bool has_window = true;
  template <class Atomics>
  using history = typename detail::windowed_share<Window>::template history<Atomics>;

  [[nodiscard]] constexpr bool is_bad(const call_sample& call) const noexcept {
    return call.failed || is_slow(call);
  }
  [[nodiscard]] constexpr std::uint32_t first_marks(std::uint32_t /*most_marks*/) const noexcept {
    return detail::windowed_share<Window>::dirty;
  }
  [[nodiscard]] auto record(auto& past, const call_sample& call) const noexcept {
    return past.record(call.epoch, is_slow(call), call.ended);
  }
  [[nodiscard]] auto look(const auto& past, const call_sample& call) const noexcept {
    return past.look(call.epoch, call.ended);
  }
  [[nodiscard]] constexpr judgement judge(window_reading seen, std::uint32_t marks, const call_sample& call,
                                          std::uint32_t most_marks) const noexcept {
    return detail::windowed_share<Window>::judge(*this, seen, is_slow(call), marks, most_marks);
  }
  [[nodiscard]] epoch_statistics statistics(const auto& past, std::uint32_t /*marks*/, const call_sample& at,
                                            std::uint32_t /*most_marks*/) const noexcept {
    const auto seen = past.read(at.epoch, at.ended);
    return {.calls = seen.calls, .slow_calls = seen.bad};
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate(std::uint32_t /*most_marks*/) const {
    detail::require_within("slow_call_rate.slower_than", slower_than, duration{std::chrono::microseconds{1}},
                           duration{std::chrono::hours{24}});
    detail::windowed_share<Window>::validate("slow_call_rate", threshold, minimum_calls, window);
  }
  void validate_replacing(const slow_call_rate& in_use) const {
    detail::windowed_share<Window>::validate_replacing("slow_call_rate", window, in_use.window);
  }

 private:
  [[nodiscard]] constexpr bool is_slow(const call_sample& call) const noexcept {
    return call.took > slower_than;
  }
};
static_assert(detector<slow_call_rate<count_window>>);
static_assert(detector<slow_call_rate<time_window>>);

}  // namespace brownout
