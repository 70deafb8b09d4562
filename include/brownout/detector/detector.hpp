// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/atomics.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI {

/// One call, as a detector sees it. Nearly always the call has ended.
struct call_sample {
  std::uint64_t epoch = 0;   ///< the circuit's epoch when the call was admitted
  bool failed = false;       ///< the call ended as a failure
  bool in_flight = false;    ///< the call has not ended and is overdue; for detectors with `counts_overdue`
  bool was_overdue = false;  ///< the call has ended, and was seen `in_flight` before
  duration took{};           ///< how long the call took; for detectors with `times_calls`
  /// When the call ended, since the breaker was built; for detectors with `reads_clock` or `times_calls`.
  /// With neither a window nor `times_calls` it is known of failed calls only.
  duration ended{};
};

/// The decision of a detector about a call.
struct judgement {
  std::uint32_t marks = 0;                              ///< the new marks in the circuit's control word
  bool trips = false;                                   ///< the circuit must open
  transition_cause cause = transition_cause::detector;  ///< the reason, for listeners and snapshots

  friend constexpr bool operator==(const judgement&, const judgement&) = default;
};

/// The counts of a detector in the current epoch, for display. 0 for what it does not count. If several
/// detectors have the same count, the highest one.
struct epoch_statistics {
  std::uint32_t consecutive_failures = 0;  ///< failures since the last success
  std::uint32_t failure_balance = 0;       ///< failures less successes, never below 0
  std::uint32_t calls = 0;                 ///< calls in the window
  std::uint32_t failures = 0;              ///< failures in the window, or within the period
  std::uint32_t slow_calls = 0;            ///< slow calls in the window
};

/// The history of a detector without a window: all its counts are in its marks.
struct no_history {
  /// There is nothing to build.
  explicit constexpr no_history(const auto& /*detector*/) noexcept {}
};
struct no_evidence {};

/// What a detector must be told of a call. `detector` says what each of these means.
struct detector_needs {
  bool reads_clock = false;  ///< the time at which calls ended
  bool times_calls = false;  ///< how long calls took
  bool has_window = false;   ///< each call, also one that ends just after the circuit has moved on
};

/// Decides whether a closed circuit must open. To write your own detector, begin with a copy of
/// `consecutive_failures`, which is the shortest one.
///
/// A detector states its needs by four constants. What it does not need costs nothing:
/// - `reads_clock`: a call sample contains the time at which a failed call ended, and with a window the end
///   of every call.
/// - `times_calls`: a call sample contains how long the call took. The clock is read before and after each
///   call.
/// - `has_window`: the history counts calls, also calls that end just after the circuit has moved on.
/// - `counts_overdue`: the detector also gets samples of calls that have not ended yet. Needs `times_calls`.
///
/// `first_marks(most_marks)` returns the marks of a circuit that has just closed.
///
/// A detector is a small aggregate of thresholds. Its counts are in two places:
/// - its **marks**, a few bits of the circuit's control word. Marks of 0 mean that a further success would
///   change nothing, so that successes on a healthy circuit need not be reported to it at all. Marks never
///   exceed the `most_marks` that are passed to it.
/// - its **history**, an object of type `history<Atomics>` that is built from the detector: the window. Its
///   counts belong to one epoch and are empty in any other.
///
/// For each ended call the breaker calls `record` once. `record` enters the call into the history and returns
/// the evidence. Then the breaker calls `judge` with the present marks. If the marks have changed meanwhile,
/// it calls `refresh` on the evidence and judges again. `refresh` does not change the evidence of a bad call:
/// if the window reached its threshold when the call entered it, the circuit opens, even if other calls
/// report afterwards. `read` gives the evidence for `statistics`, without a call.
///
/// A detector with `counts_overdue` also gets a sample with `in_flight` for each call that has been in flight
/// for longer than its `overdue_after()`. The other detectors of an `any_of` get this sample too. They must
/// neither record it nor change their marks.
///
/// Beyond the syntax:
/// - `judge` and `is_bad` are pure. A call that failed is bad, and other calls may be bad too. `judge` trips
///   only on bad calls.
/// - `judge` sets marks to 0 only by evidence that is younger than the marks that it was given.
/// - `record`, `read` and `refresh` are lock-free and allocate nothing.
/// - `validate` throws `std::invalid_argument` naming field, value and range. `validate_replacing(in_use)`
///   does so if the history that was built from `in_use` does not fit this detector.
/// - A detector may have `with_defaults()`: the same detector with the defaults of omitted options filled in.
/// - A detector may have `static void record_good(history&, const call_sample&)`. It means that a call that
///   did not fail is never bad and never changes the marks. The breaker then records such calls only by
///   `record_good`, and reads no thresholds for them.
/// - A detector whose needs are known only when it is built, as `any_detector`, states by its constants the
///   most that it may need, and its history has `detector_needs needs() const noexcept`, which never changes.
///   Marks of 0 then also mean that a call need not be timed.
//
// Version 14 would break its lines before noexcept.
// clang-format off
template <class D>
concept detector = std::is_trivially_copyable_v<D> &&
    requires(const D& policy, typename D::template history<std_atomics>& past,
             const typename D::template history<std_atomics>& seen, const call_sample& call,
             decltype(policy.record(past, call)) evidence, std::uint32_t marks, std::uint32_t most_marks) {
  { D::reads_clock } -> std::convertible_to<bool>;
  { D::times_calls } -> std::convertible_to<bool>;
  { D::has_window } -> std::convertible_to<bool>;
  { D::counts_overdue } -> std::convertible_to<bool>;
  requires std::constructible_from<typename D::template history<std_atomics>, const D&>;
  { policy.is_bad(call) } noexcept -> std::same_as<bool>;
  { policy.first_marks(most_marks) } noexcept -> std::same_as<std::uint32_t>;
  { policy.judge(policy.record(past, call), marks, call, most_marks) } noexcept -> std::same_as<judgement>;
  policy.refresh(evidence, seen, call);
  { policy.statistics(policy.read(seen, call), marks, most_marks) } noexcept -> std::same_as<epoch_statistics>;
  policy.validate(most_marks);
  policy.validate_replacing(policy);
};
// clang-format on

namespace detail {

template <class D>
inline constexpr detector_needs needs_by_type{D::reads_clock, D::times_calls, D::has_window};

template <class D>
inline constexpr bool has_needs_of_its_own = requires(const typename D::template history<std_atomics>& past) {
  past.needs();
};

/// What the detector must be told whose history is `past`.
template <class D>
[[nodiscard]] constexpr detector_needs needs_of(const auto& past) noexcept {
  if constexpr (has_needs_of_its_own<D>) {
    return past.needs();
  } else {
    return needs_by_type<D>;
  }
}

/// `policy` with the defaults of omitted options filled in, if it has such options.
template <class D>
[[nodiscard]] constexpr D with_defaults(const D& policy) noexcept {
  if constexpr (requires { policy.with_defaults(); }) {
    return policy.with_defaults();
  } else {
    return policy;
  }
}

}  // namespace detail

}  // namespace brownout::inline BROWNOUT_ABI
