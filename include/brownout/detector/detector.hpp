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

/// What a detector makes of a call.
struct judgement {
  std::uint32_t marks = 0;  ///< what is to stand in the circuit's control word from now on
  bool trips = false;       ///< the circuit must open
  transition_cause cause = transition_cause::detector;  ///< why, for those who are told of the opening

  friend constexpr bool operator==(const judgement&, const judgement&) = default;
};

/// What a detector has counted in the current epoch, for display. 0 for what it does not count. Of several
/// detectors that have the same count, the highest.
struct epoch_statistics {
  std::uint32_t consecutive_failures = 0;  ///< failures since the last success
  std::uint32_t failure_balance = 0;       ///< failures less successes, never below 0
  std::uint32_t calls = 0;                 ///< calls in the window
  std::uint32_t failures = 0;              ///< failures in the window, or within the period
  std::uint32_t slow_calls = 0;            ///< slow calls in the window
};

/// The history of a detector without a window: what it counts stands in its marks.
struct no_history {
  explicit constexpr no_history(const auto& /*detector*/) noexcept {}
};
struct no_evidence {};

/// Decides whether a closed circuit must open.
///
/// A detector says what it needs by four constants. What is not asked for costs nothing:
/// - `reads_clock`: it is told when failed calls ended, and with a window when all of its calls did.
/// - `times_calls`: it is told how long calls took. The clock is read before and after each call.
/// - `has_window`: its history counts calls, also those that end just after the circuit has moved on.
/// - `counts_overdue`: it is told of calls that have not ended yet. Needs `times_calls`.
///
/// `first_marks(most_marks)` returns the marks of a circuit that has just closed.
///
/// A detector is a small aggregate of thresholds. What it counts stands in two places:
/// - its **marks**, a few bits of the circuit's control word. Marks of 0 mean that a further success would
///   change nothing, so that successes on a healthy circuit need not be reported to it at all. Marks never
///   exceed the `most_marks` that it is told.
/// - its **history**, an object of type `history<Atomics>` that is built from the detector: the window. Its
///   counts belong to one epoch and are empty in any other.
///
/// For each ended call the breaker calls `record` once, which enters it into the history and returns the
/// evidence, then `judge` for the marks that stand there. When the marks have changed meanwhile, it calls
/// `refresh` on the evidence and judges again. `refresh` leaves the evidence of a bad call as it is: a window
/// that was bad enough when the call entered it opens the circuit, whatever other calls report afterwards.
/// Evidence for `statistics`, without a call, comes from `read`.
///
/// A detector with `counts_overdue` is also told of each call that has been in flight for longer than its
/// `overdue_after()`, by a sample that says `in_flight`. The other detectors of an `any_of` get this sample
/// too. They must neither record it nor change their marks.
///
/// Beyond the syntax:
/// - `judge` and `is_bad` are pure. A call that failed is bad, and other calls may be; `judge` trips on bad
///   calls only.
/// - Marks only fall to 0 on evidence that is younger than the marks that `judge` was given.
/// - `record`, `read` and `refresh` are lock-free and allocate nothing.
/// - `validate` throws `std::invalid_argument` naming field, value and range. `validate_replacing(in_use)`
///   does so when the history that was built from `in_use` does not serve this policy.
/// - A detector may have `with_defaults()`: the same detector with options that were left out filled in.
/// - A detector may have `static void record_good(history&, const call_sample&)`. Then a call that did not
///   fail is never bad and never changes the marks. The breaker enters such calls by `record_good` alone, and
///   reads no thresholds for them.
template <class D>
concept detector = std::is_trivially_copyable_v<D> &&
    requires(const D& policy, typename D::template history<std_atomics>& past,
             const typename D::template history<std_atomics>& seen, const call_sample& call,
             decltype(policy.record(past, call)) evidence, std::uint32_t marks, std::uint32_t most_marks) {
  { D::reads_clock } -> std::convertible_to<bool>;
  { D::times_calls } -> std::convertible_to<bool>;
  { D::has_window } -> std::convertible_to<bool>;
  { D::counts_overdue } -> std::convertible_to<bool>;
  requires std::constructible_from < typename D::template history<std_atomics>,
  const D& > ;
  { policy.is_bad(call) }
  noexcept->std::same_as<bool>;
  { policy.first_marks(most_marks) }
  noexcept->std::same_as<std::uint32_t>;
  { policy.judge(policy.record(past, call), marks, call, most_marks) }
  noexcept->std::same_as<judgement>;
  policy.refresh(evidence, seen, call);
  { policy.statistics(policy.read(seen, call), marks, most_marks) }
  noexcept->std::same_as<epoch_statistics>;
  policy.validate(most_marks);
  policy.validate_replacing(policy);
};

namespace detail {

/// `policy` with the options that were left out filled in, where it has such options.
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
