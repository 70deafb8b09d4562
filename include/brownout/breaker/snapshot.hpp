// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/bounded_text.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// The part of a `breaker_snapshot` that is needed to judge a circuit repeatedly. The fields have the same
/// meaning there.
struct circuit_status {
  circuit_state state = circuit_state::closed;  ///< as `breaker_snapshot::state`
  std::uint64_t epoch = 0;                      ///< as `breaker_snapshot::epoch`
  duration retry_after{};                       ///< as `breaker_snapshot::retry_after`
  std::uint32_t probes_needed = 0;     ///< as `breaker_snapshot::probes_needed`; 0 for a closed circuit
  std::uint32_t probes_succeeded = 0;  ///< as `breaker_snapshot::probes_succeeded`
};

/// A breaker at one moment, for display.
///
/// State, epoch and the counts of the epoch come from one atomic word and belong together. A window and the
/// totals are read after it, and may be a few calls ahead.
struct breaker_snapshot {
  circuit_state state = circuit_state::closed;  ///< the state of the circuit
  std::uint64_t epoch = 0;                      ///< Each transition adds 1; a new breaker is in epoch 0.

  /// When the epoch began. For a half-open circuit: when its latest call was admitted. Exact to 1 us, never
  /// too early.
  time_point since{};

  // Closed and metrics_only. 0 for what the detector of the breaker does not count.
  std::uint32_t consecutive_failures = 0;  ///< failures since the last success
  std::uint32_t failure_balance = 0;       ///< failures less successes, never below 0
  std::uint32_t calls = 0;                 ///< in the detector's window
  std::uint32_t failures = 0;    ///< of these calls; or those within the period of `failures_within`
  std::uint32_t slow_calls = 0;  ///< of these calls; with `count_failures` the failed ones too

  std::uint32_t probes_needed = 0;     ///< successes that end probing; with a `probe_rate`, results
  std::uint32_t probes_succeeded = 0;  ///< half-open: successes so far; on the ramp, in a row
  std::uint32_t probes_failed = 0;     ///< half-open with a `probe_rate`: failures so far
  std::uint32_t probes_in_flight = 0;  ///< half-open: calls that were admitted and have not ended
  std::uint32_t in_flight_limit = 0;   ///< half-open: how many may be in flight; the ramp moves it

  std::uint32_t open_period = 0;  ///< open: number of this open period in its outage, 1 to 2047

  /// Until the next call may pass: 0 when it may pass now, `rejection::unknown` when an operator decides.
  duration retry_after{};

  // Totals since construction. There is no total of successes: a success on a healthy circuit writes nothing,
  // so that it is cheap. Count successes in your own code, or subtract `failures` from `calls` of a window.

  /// Calls that were reported as failures and counted, modulo 2^32. Slow successes are not included.
  std::uint32_t failed_results = 0;
  /// Calls that were slow, did not fail and were counted, modulo 2^32. 0 if the detector does not time calls.
  /// With `slow_calls::in_flight` a call is counted when it is overdue, and not again when it ends. If such a
  /// call fails at last, it is one of `failed_results` too.
  std::uint32_t slow_results = 0;
  std::uint64_t rejections = 0;          ///< calls that were refused
  std::uint32_t late_results = 0;        ///< results whose epoch was over when they came, modulo 2^32
  std::uint64_t listener_failures = 0;   ///< how often a listener threw
  std::uint64_t missed_transitions = 0;  ///< transitions that no listener received

  /// The text of the latest failure that had one, and when that was. Of two failures at the same moment it
  /// may be either. `call` and `try_call` take it from `what()` of an exception. Otherwise it is the text
  /// given to `complete`. While the circuit is open, it is the text of the failure that opened it, or the
  /// text given to `trip`.
  ///
  /// Empty before the first such failure, and after an opening by a call without a text, such as a slow one.
  /// Print `last_failure.view()`. It may name hosts and users: think before you publish it.
  bounded_text last_failure{};
  time_point last_failure_at{};  ///< when the failure of `last_failure` was reported, on the breaker's clock

  /// Takes over the counts of a detector.
  constexpr void count(const epoch_statistics& counted) noexcept {
    consecutive_failures = counted.consecutive_failures;
    failure_balance = counted.failure_balance;
    calls = counted.calls;
    failures = counted.failures;
    slow_calls = counted.slow_calls;
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
