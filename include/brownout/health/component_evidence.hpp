// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <optional>

namespace brownout::inline BROWNOUT_ABI {

/// What a service measures itself about a dependency. Each part can only lower the score that the calls give,
/// and is evidence without any call. What is left out says nothing, and so does what is no measurement: NaN,
/// infinity, less than none.
struct measurement {
  std::optional<double> success_share{};  ///< in [0, 1]
  std::optional<duration> latency{};      ///< mean or a percentile, as the owner's budget is meant
  std::optional<double> saturation{};     ///< share of a limited resource in use, such as a pool's, 0 or more
};

/// What is known about one dependency when its health is judged. Plain data: a breaker and a window of recent
/// calls fill it, and so may anything else.
struct component_evidence {
  circuit_state state = circuit_state::closed;
  std::uint32_t calls = 0;             ///< recent calls that ended
  std::uint32_t successes = 0;         ///< of those
  duration mean_latency{};             ///< of the successes
  std::uint32_t probes_needed = 1;     ///< half-open: successes that close the circuit
  std::uint32_t probes_succeeded = 0;  ///< half-open: of those, so far
  duration age{};                      ///< since the last of the calls ended
  measurement measured{};
};

}  // namespace brownout::inline BROWNOUT_ABI
