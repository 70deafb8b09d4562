// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <optional>

namespace brownout::inline BROWNOUT_ABI {

/// What a service itself measures about a dependency. Each value can only lower the score that the calls
/// give. A value counts as evidence even without calls. A value that is left out, NaN, infinite or negative
/// is ignored.
struct measurement {
  std::optional<double> success_share{};  ///< in [0, 1]
  std::optional<duration>
      latency{};  ///< the mean or a percentile; must be of the kind that the latency budget means
  std::optional<double>
      saturation{};  ///< share of a limited resource in use, such as a connection pool: 0 or more
};

/// What is known about one dependency when its health is judged. Plain data: a breaker and a window of recent
/// calls fill it, and any other code may fill it too.
struct component_evidence {
  circuit_state state = circuit_state::closed;  ///< the state of the circuit
  std::uint32_t calls = 0;                      ///< recent calls that ended
  std::uint32_t successes = 0;                  ///< of these calls
  duration mean_latency{};                      ///< of the successes
  std::uint32_t probes_needed = 1;              ///< half-open: successes that close the circuit
  std::uint32_t probes_succeeded = 0;           ///< half-open: successes so far
  duration age{};                               ///< since the last of these calls ended
  double refused = 0;                           ///< share of calls that a full limit refused, in [0, 1]
  measurement measured{};                       ///< the service's own measurement
};

}  // namespace brownout::inline BROWNOUT_ABI
