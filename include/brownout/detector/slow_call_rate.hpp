// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/transition_cause.hpp"
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

/// Trips at a slow call when slow calls make up at least `threshold` of the calls in a window.
///
/// **Failures.** A slow call is slow whether it succeeded or failed. A fast failure is not slow: with its
/// defaults and without another detector, this detector never opens the circuit for fast failures. There are
/// two ways to count failures too:
///
///     // Two shares, each with its own threshold:
///     brownout::any_of{brownout::failure_rate<>{}, brownout::slow_call_rate<>{.slower_than = 2s}}
///     // One share, of calls that were slow or failed:
///     brownout::slow_call_rate<>{.slower_than = 2s, .count_failures = true}
///
/// With 30 % slow calls and 30 % failures, the first leaves the circuit closed and the second opens it.
///
/// **Half-open.** A slow call counts as a failed call when it ends. If a call hangs, a new probe is admitted
/// after `breaker_options::lease`. Set the lease a little above `slower_than`.
///
/// **Calls that hang** end late or never, and a call that ends late is counted late: with a time-out of 30 s
/// the circuit stays closed for 30 s. `slow_call_rate<count_window, slow_calls::in_flight>` counts calls from
/// the moment that they are overdue. Admissions look for overdue calls when an eighth of `slower_than`, or a
/// second if that is shorter, has passed since the last look. This needs no thread. While there are no new
/// calls, no overdue call is found. At most 256 calls in flight are watched, in 2 KiB; further calls count
/// when they end. Only one detector of an `any_of` can watch calls in flight. A call that was counted as
/// overdue stays counted, even if it is ignored or cancelled later.
///
/// **Cost.** Each call reads the clock twice. With `in_flight` it reads the clock three times and writes two
/// words more: some 10 ns with few calls in flight, 200 ns when all places are taken. If the limit is near
/// the latency of a dependency that is only busy, the circuit refuses calls that would have succeeded. Choose
/// a limit above three quarters of the time-out.
template <class Window = count_window, slow_calls Counted = slow_calls::ended>
struct slow_call_rate {
  /// Share of the calls in the window that must be slow.
  /// Range: above 0, up to 1; exact as `failure_rate::threshold`. Default: 0.5, as for failures.
  double threshold = 0.5;

  /// A call that takes longer is slow.
  /// Range: 1 us to 24 h. There is no default, because only the service knows what is slow. 0 is refused.
  duration slower_than{};

  /// Calls that the window must hold before their share is evidence.
  /// Range: 1 to the window's size; of a time window, 1 to 300,000. 0 means the default.
  /// Default: 20, or the window's size if that is less, as for failures.
  std::uint32_t minimum_calls = 0;

  /// Which calls are counted: `count_window` or `time_window`. Default: the latest 100 calls, or those of the
  /// latest 10 s.
  Window window{};

  /// Whether a failure counts as a slow call, however fast it was. Then `threshold` is the share of calls
  /// that were slow or failed, and so is what a snapshot shows as `slow_calls`. Default: false, so that
  /// failures have a share of their own, as in resilience4j.
  bool count_failures = false;

  /// @name What the concept detector asks for
  /// @{

  /// `detector` says what this means.
  static constexpr bool reads_clock = true;
  static constexpr bool times_calls = true;
  static constexpr bool has_window = true;
  static constexpr bool counts_overdue = Counted == slow_calls::in_flight;
  template <class Atomics>
  using history = typename detail::windowed_share<Window>::template history<Atomics>;

  [[nodiscard]] constexpr bool is_bad(const call_sample& call) const noexcept {
    return call.failed || is_counted(call);
  }
  [[nodiscard]] constexpr std::uint32_t first_marks(std::uint32_t /*most_marks*/) const noexcept {
    return detail::windowed_share<Window>::dirty;
  }
  [[nodiscard]] auto record(auto& past, const call_sample& call) const noexcept {
    // Each call is counted once: when it is overdue, or else when it has ended.
    if (counts_overdue ? call.was_overdue : call.in_flight) return past.read(call.epoch, call.ended);
    return past.record(call.epoch, is_counted(call), call.ended);
  }
  [[nodiscard]] auto read(const auto& past, const call_sample& call) const noexcept {
    return past.read(call.epoch, call.ended);
  }
  void refresh(detail::window_counts& evidence, const auto& past, const call_sample& call) const noexcept {
    if (!is_counted(call)) evidence = read(past, call);
  }
  [[nodiscard]] constexpr judgement judge(detail::window_counts seen, std::uint32_t marks,
                                          const call_sample& call, std::uint32_t most_marks) const noexcept {
    return detail::windowed_share<Window>::judge(*this, transition_cause::slow_call_rate, seen,
                                                 is_counted(call), marks, most_marks);
  }
  [[nodiscard]] constexpr epoch_statistics statistics(detail::window_counts seen, std::uint32_t /*marks*/,
                                                      std::uint32_t /*most_marks*/) const noexcept {
    return {.calls = seen.calls, .slow_calls = seen.bad};
  }

  /// When a call in flight is overdue.
  [[nodiscard]] constexpr duration overdue_after() const noexcept { return slower_than; }

  [[nodiscard]] constexpr slow_call_rate with_defaults() const noexcept {
    return {threshold, slower_than, detail::windowed_share<Window>::minimum_calls(*this), window,
            count_failures};
  }
  /// Throws `std::invalid_argument` naming field, value and range.
  void validate(std::uint32_t /*most_marks*/) const {
    detail::require_within("slow_call_rate.slower_than", slower_than, duration{std::chrono::microseconds{1}},
                           duration{std::chrono::hours{24}});
    detail::windowed_share<Window>::validate("slow_call_rate", *this);
  }
  /// The window keeps its size. Throws as above.
  void validate_replacing(const slow_call_rate& in_use) const {
    detail::windowed_share<Window>::validate_replacing("slow_call_rate", window, in_use.window);
  }
  /// @}

 private:
  /// Whether the window counts the call as bad.
  [[nodiscard]] constexpr bool is_counted(const call_sample& call) const noexcept {
    if (call.in_flight) return counts_overdue;  // the circuit has already compared the time
    return call.took > slower_than || (count_failures && call.failed);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
