// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/bounded_text.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// What it takes to judge a circuit again and again. A part of `breaker_snapshot`, which says what each
/// means.
struct circuit_status {
  circuit_state state = circuit_state::closed;
  std::uint64_t epoch = 0;
  duration retry_after{};
  std::uint32_t probes_needed = 0;
  std::uint32_t probes_succeeded = 0;
};

/// A breaker at one moment. State, epoch and the counts of the epoch come from one atomic word and belong
/// together; a window and the totals are read beside it and may be a few calls ahead.
struct breaker_snapshot {
  circuit_state state = circuit_state::closed;
  std::uint64_t epoch = 0;  ///< grows by one with every transition; starts at 0

  /// When the epoch began; half-open, when its latest call was admitted. Accurate to 1 us, never early.
  time_point since{};

  // Closed and metrics_only. Zero what the breaker's detector does not count.
  std::uint32_t consecutive_failures = 0;  ///< failures since the last success
  std::uint32_t failure_balance = 0;       ///< failures less successes, never below 0
  std::uint32_t calls = 0;                 ///< in the detector's window
  std::uint32_t failures = 0;              ///< of these; or those within the period of `failures_within`
  std::uint32_t slow_calls = 0;            ///< of these; with `count_failures` the failed ones too

  std::uint32_t probes_needed = 0;     ///< successes that end probing; with a `probe_rate`, results
  std::uint32_t probes_succeeded = 0;  ///< half-open: successes so far; on the ramp, in a row
  std::uint32_t probes_failed = 0;     ///< half-open with a `probe_rate`: failures so far
  std::uint32_t probes_in_flight = 0;  ///< half-open: admitted, neither reported nor given back
  std::uint32_t in_flight_limit = 0;   ///< half-open: how many may be; on the ramp it rises and falls

  std::uint32_t open_period = 0;  ///< open: the how-many-th of its outage this is, from 1, at most 2047

  /// Until the next call may pass: zero when it may pass now, `rejection::unknown` when an operator decides.
  duration retry_after{};

  // Successes are not counted in total: on a healthy circuit they write nothing, and that is what makes them
  // cheap. Count them where they are made, or take a window's `calls` less its `failures`.
  /// Results reported as failures and counted, since construction, modulo 2^32. Slow successes are not among
  /// them.
  std::uint32_t failed_results = 0;
  std::uint64_t rejections = 0;          ///< calls refused, since construction
  std::uint32_t late_results = 0;        ///< results whose epoch was over when they came, the same way
  std::uint64_t listener_failures = 0;   ///< how often a listener threw, since construction
  std::uint64_t missed_transitions = 0;  ///< of which no listener heard, since construction

  /// The text of the latest failure that had one, and when that was (of two at once, one's): of an exception
  /// that `call` or `try_call` saw its `what()`, else what `complete` was told; empty before the first. What
  /// slow calls opened has no text. Print `last_failure.view()`. It may name hosts and users: think before
  /// you publish it.
  bounded_text last_failure{};
  time_point last_failure_at{};

  /// Takes over what a detector has counted.
  constexpr void count(const epoch_statistics& counted) noexcept {
    consecutive_failures = counted.consecutive_failures;
    failure_balance = counted.failure_balance;
    calls = counted.calls;
    failures = counted.failures;
    slow_calls = counted.slow_calls;
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
