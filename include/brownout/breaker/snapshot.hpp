// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"

#include <cstdint>

namespace brownout {

/// A breaker at one moment. State, epoch and the counts of the epoch come from one atomic word and belong
/// together; the totals are read beside it and may be a few calls ahead.
struct breaker_snapshot {
  circuit_state state = circuit_state::closed;
  std::uint64_t epoch = 0;  ///< grows by one with every transition; starts at 0

  /// When the epoch began; half-open, when its latest probe was admitted. Accurate to 1 us, never early.
  time_point since{};

  std::uint32_t consecutive_failures = 0;  ///< closed and metrics_only: failures since the last success
  std::uint32_t probes_needed = 0;         ///< successes that close a half-open circuit
  std::uint32_t probes_succeeded = 0;      ///< half-open: successes so far
  std::uint32_t probes_in_flight = 0;      ///< half-open: admitted, neither reported nor given back

  /// Until the next call may pass: zero when it may pass now, `rejection::unknown` when an operator decides.
  duration retry_after{};

  std::uint64_t rejections = 0;    ///< calls refused, since construction
  std::uint64_t late_results = 0;  ///< results whose epoch was over when they came, since construction
};

}  // namespace brownout
