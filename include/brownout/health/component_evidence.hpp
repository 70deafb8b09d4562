// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"

#include <cstdint>

namespace brownout {

/// What is known about one dependency when its health is judged. Plain data: a breaker and a window of recent
/// calls fill it, and so may anything else.
struct component_evidence {
  circuit_state state = circuit_state::closed;
  std::uint32_t calls = 0;             ///< recent calls that ended
  std::uint32_t successes = 0;         ///< of those
  duration mean_latency{};             ///< of the successes
  std::uint32_t probes_needed = 1;     ///< half-open: successes that close the circuit
  std::uint32_t probes_succeeded = 0;  ///< half-open: of those, so far
};

}  // namespace brownout
