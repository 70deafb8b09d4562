// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/degradation/controller.hpp"
#include "brownout/degradation/level_ladder.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/window/recent_calls.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace brownout {

/// One change of a circuit's state, as the supervisor saw it. It looks at each probe's answer and at least
/// once each `refresh`; a circuit that came back to the same state between two looks did not change here.
struct circuit_change {
  std::size_t dependency = 0;  ///< its number, in the order of the options
  circuit_state from{};
  circuit_state to{};
  time_point at{};
  std::string reason;  ///< of a failure: what the last probe said; otherwise empty
};

/// How often circuits went from one state to another.
using circuit_change_counts = std::array<std::array<std::uint64_t, circuit_state_count>, circuit_state_count>;

/// One dependency at one moment: everything a status page shows. The circuit and the recent calls are read
/// now, the health is the one that the level was last set by, at most `refresh` ago.
struct component_snapshot {
  std::string name;
  double configured_weight = 0;  ///< in [0, 1]
  breaker_snapshot circuit;
  call_statistics recent;
  contribution health;
  bool probed = false;         ///< whether it has a probe
  bool probe_hanging = false;  ///< a probe is over its deadline and has not returned
  std::optional<time_point> last_probe_at{};
  duration last_probe_latency{};
  std::string last_error{};  ///< of the last failed probe; empty after a success
  circuit_change_counts changes{};
  std::uint64_t outages = 0;  ///< ended ones: from the first opening to the closing
  duration outage_time{};     ///< of these, in all
};

/// The whole system at one moment.
template <degradation_level Level>
struct system_snapshot {
  time_point at{};
  Level level{};          ///< in force
  Level health_level{};   ///< what health alone would give
  bool assessed = false;  ///< false until every probed dependency has answered, or failed to, once
  std::optional<double> score{};
  std::vector<component_snapshot> components{};
  std::optional<level_override<Level>> active_override{};
  std::vector<level_transition<Level>> transitions{};       ///< the last ones, oldest first
  std::vector<circuit_change> circuit_changes{};            ///< the last ones, oldest first
  std::vector<std::vector<std::uint64_t>> level_changes{};  ///< how often, [from][to]
  duration current_dwell{};
};

}  // namespace brownout
