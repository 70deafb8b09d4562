// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/health_report.hpp"
#include "brownout/health/recent_calls.hpp"
#include "brownout/level/level_ladder.hpp"
#include "brownout/level/level_override.hpp"
#include "brownout/level/level_transition.hpp"
#include "brownout/recovery/recovery_estimate.hpp"
#include "brownout/version.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

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
  std::uint64_t outages = 0;  ///< ended by themselves: from the first opening to the closing by probes
  duration outage_time{};     ///< of these, in all
  measurement measured{};     ///< what the service has measured itself, at the last step
  brownout::criticality criticality = brownout::criticality::standard;
  std::optional<time_point> outage_began{};     ///< of the outage that goes on
  std::optional<recovery_estimate> recovery{};  ///< when that ends; nothing: there is none
};

/// What one dependency had to do with a change of the level.
struct level_contribution {
  std::size_t dependency = 0;
  circuit_state state{};
  std::optional<double> score{};  ///< nothing: unknown
  double lost = 0;                ///< points that it took from the system's score
};

/// A change of the level with what explains it: the signals, the threshold (`level_transition::threshold`)
/// and what would change it again (`level_transition::next`).
template <degradation_level Level>
struct explained_transition : level_transition<Level> {
  score_limit limit = score_limit::none;  ///< what held the score, whatever the weights said
  std::size_t limited_by = 0;             ///< the dependency, when `limit` is `required`
  std::string actor{};                    ///< of an override that was set; else empty
  std::string reason{};                   ///< why they set it
  std::vector<level_contribution>
      contributions{};  ///< those that lost points or were unknown; the greatest loss first
};

/// The whole system at one moment.
template <degradation_level Level>
struct system_snapshot {
  time_point at{};
  Level level{};                  ///< in force
  Level health_level{};           ///< what health alone would give
  bool assessed = false;          ///< false until every probed dependency has answered, or failed to, once
  bool ready = false;             ///< whether the instance wants requests
  bool dry_run = false;           ///< what health decides is noted, and does not come into force
  std::optional<double> score{};  ///< by which the level was set; nothing: unknown
  std::optional<double> before_limits{};  ///< what the weights alone give
  score_limit limit = score_limit::none;  ///< why the two differ
  double at_most = 100;                   ///< the worst score of a required dependency
  std::size_t limited_by = 0;             ///< which that is, when `at_most` is below 100
  double known_share = 0;                 ///< of the weight, in [0, 1]
  std::vector<component_snapshot> components{};
  std::optional<level_override<Level>> active_override{};
  level_outlook<Level> outlook{};  ///< what would change the level that health gives
  /// When the level will be the best again. Nothing: it is, an operator holds it, or nobody has been asked
  /// yet.
  std::optional<recovery_estimate> recovery{};
  std::vector<explained_transition<Level>> transitions{};   ///< the last ones, oldest first
  std::vector<circuit_change> circuit_changes{};            ///< the last ones, oldest first
  std::vector<std::vector<std::uint64_t>> level_changes{};  ///< how often, [from][to]
  duration current_dwell{};
};

}  // namespace brownout::inline BROWNOUT_ABI
