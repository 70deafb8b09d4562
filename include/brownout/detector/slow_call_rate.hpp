// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/count_window.hpp"
#include "brownout/detector/detail/window_counts.hpp"
#include "brownout/detector/detail/windowed_share.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/time_window.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// When a slow call counts.
enum class slow_calls : std::uint8_t {
  ended,      ///< when it has ended
  in_flight,  ///< from the moment that it is overdue, and not again when it ends
};

/// Trips at a slow call when slow calls, however they ended, make up at least `threshold` of the calls in a
/// window.
///
///     brownout::any_of{brownout::failure_rate<>{}, brownout::slow_call_rate<>{.slower_than = 2s}}
/// Half-open, a slow call is a failed one, when it ends: one that hangs is given up after
/// `breaker_options::lease`, and a fresh probe follows. Set the lease a little above `slower_than`.
///
/// **Calls that hang** end late or never, and what ends late is counted late: with a time-out of 30 s the
/// circuit stays closed for 30 s. `slow_call_rate<count_window, slow_calls::in_flight>` counts them from the
/// moment that they are overdue. Admissions look for them when an eighth of `slower_than`, or a second if
/// that is shorter, has passed since the last look, so it needs no thread, and where nobody calls any more
/// nothing is looked for. At most 256 calls in flight are watched, in 2 KiB; what goes beyond counts when it
/// ends. Of the detectors in an `any_of` one can have it. A call that is ignored or given up after it was
/// overdue stays counted.
///
/// **Cost.** Each call reads the clock twice, and with `in_flight` three times and writes two words more: a
/// clock reading and some 10 ns with few calls in flight, 200 ns more when all places are taken. A limit near
/// what the dependency needs when it is merely busy refuses calls that would have succeeded: stay above three
/// quarters of the time-out.
template <class Window = count_window, slow_calls Counted = slow_calls::ended>
struct slow_call_rate {
  double threshold = 0.5;  ///< share of calls, in (0, 1]; default as for failures

  /// What takes longer is slow: 1 us to 24 h. No default: only the caller knows.
  duration slower_than{};

  /// Calls in the window before a share is taken for evidence: 1 to the window's size; of a time window, to
  /// 300,000. Default 20, as for failures.
  std::uint32_t minimum_calls = 20;

  Window window{};

  // What the concept `detector` asks for; what each of these means is said there.
  static constexpr bool reads_clock = true;
  static constexpr bool times_calls = true;
  static constexpr bool has_window = true;
  static constexpr bool counts_overdue = Counted == slow_calls::in_flight;
  template <class Atomics>
  using history = typename detail::windowed_share<Window>::template history<Atomics>;

  [[nodiscard]] constexpr bool is_bad(const call_sample& call) const noexcept {
    return call.failed || is_slow(call);
  }
  [[nodiscard]] constexpr std::uint32_t first_marks(std::uint32_t /*most_marks*/) const noexcept {
    return detail::windowed_share<Window>::dirty;
  }
  [[nodiscard]] auto record(auto& past, const call_sample& call) const noexcept {
    // Each counts a call once: when it is overdue, or else when it has ended.
    if (counts_overdue ? call.was_overdue : call.in_flight) return past.read(call.epoch, call.ended);
    return past.record(call.epoch, is_slow(call), call.ended);
  }
  [[nodiscard]] auto read(const auto& past, const call_sample& call) const noexcept {
    return past.read(call.epoch, call.ended);
  }
  [[nodiscard]] constexpr judgement judge(window_counts seen, std::uint32_t marks, const call_sample& call,
                                          std::uint32_t most_marks) const noexcept {
    return detail::windowed_share<Window>::judge(*this, seen, is_slow(call), marks, most_marks);
  }
  [[nodiscard]] epoch_statistics statistics(const auto& past, std::uint32_t /*marks*/, const call_sample& at,
                                            std::uint32_t /*most_marks*/) const noexcept {
    const auto seen = past.read(at.epoch, at.ended);
    return {.calls = seen.calls, .slow_calls = seen.bad};
  }

  /// Beyond it a call in flight is overdue.
  [[nodiscard]] constexpr duration overdue_after() const noexcept { return slower_than; }

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
    if (call.in_flight) return counts_overdue;  // who looked for it has compared
    return call.took > slower_than;
  }
};
static_assert(detector<slow_call_rate<count_window>>);
static_assert(detector<slow_call_rate<time_window, slow_calls::in_flight>>);

}  // namespace brownout::inline BROWNOUT_ABI
