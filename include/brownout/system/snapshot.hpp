// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/histogram_snapshot.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/health/call_statistics.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/health_report.hpp"
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

/// One change of a circuit's state, as the supervisor saw it. The supervisor reads the state at each answer
/// of a probe and at least once each `refresh`. It does not see a circuit that returned to its state in
/// between.
struct circuit_change {
  std::size_t dependency = 0;  ///< number of the dependency
  circuit_state from{};        ///< the state before
  circuit_state to{};          ///< the state now
  time_point at{};             ///< when the supervisor saw the change
  /// Why it opened: what the probe said that opened it, or the text of the call that did. Empty if it said
  /// nothing, and for other changes. It may name hosts and users: think before you publish it.
  std::string reason;
};

/// How often a circuit went from one state to another, [from][to].
using circuit_change_counts = std::array<std::array<std::uint64_t, circuit_state_count>, circuit_state_count>;

/// One outage of a circuit: from its first opening until probes close it or an operator changes it.
struct circuit_outage {
  std::uint64_t number = 0;                 ///< 1 for the first one since the start
  time_point began{};                       ///< when the circuit opened first
  std::optional<time_point> ended{};        ///< empty while it lasts
  std::string reason{};                     ///< why the circuit opened first, as `circuit_change::reason`
  std::uint64_t failed_tries = 0;           ///< how often it was half-open and opened again
  std::optional<time_point> last_try_at{};  ///< when it opened again last
};

/// One dependency at one moment, for status pages. Circuit and recent calls are read now. The health is the
/// one that the level was set by, at most `refresh` ago.
struct component_snapshot {
  std::string name{};            ///< `dependency_options::name`
  double configured_weight = 0;  ///< in [0, 1]
  breaker_snapshot circuit{};    ///< the circuit
  call_statistics recent{};      ///< the latest calls of the present epoch
  call_counts calls{};           ///< how all calls ended; probes that are no calls of users count too
  histogram_snapshot latency{};  ///< of successful calls, in seconds; see `component::latencies`
  contribution health{};         ///< its part in the score of the system
  bool probed = false;           ///< whether it has a probe
  bool probe_hanging = false;    ///< a probe has passed its deadline and has not returned
  std::optional<duration> probe_running_for{};    ///< since the probe that runs began; empty: none runs
  std::optional<duration> since_probe_success{};  ///< since the latest probe that succeeded; empty: none did
  std::optional<time_point> last_probe_at{};      ///< when the latest probe ended; empty before the first one
  duration last_probe_latency{};                  ///< how long the latest probe took
  std::string last_error{};                       ///< reason of the last failed probe; empty after a success
  bool last_failure_was_probe = false;  ///< whether `circuit.last_failure` is of a probe, not of a call
  circuit_change_counts changes{};      ///< how often the circuit changed its state
  std::uint64_t outages =
      0;  ///< outages that ended by themselves, from the first opening to the closing by probes
  duration outage_time{};                      ///< their total length
  std::vector<circuit_outage> last_outages{};  ///< at most 64, oldest first; the present one is the last
  measurement measured{};                      ///< the service's own measurement at the last step
  /// The share of calls that its limit refused in the latest 10 s, in [0, 1]; empty: it has no `limited_by`.
  std::optional<double> refused{};
  brownout::criticality criticality = brownout::criticality::standard;  ///< the criticality in force
  std::optional<time_point> outage_began{};                             ///< beginning of the present outage
  std::optional<recovery_estimate> recovery{};  ///< predicted end of the present outage; empty without one
};

/// The part of one dependency in a change of the level.
struct level_contribution {
  std::size_t dependency = 0;     ///< number of the dependency
  circuit_state state{};          ///< the state of its circuit
  std::optional<double> score{};  ///< empty: unknown
  double lost = 0;                ///< points that it took from the score of the system
  double refused = 0;             ///< share of calls that its full limit refused, if that is why
};

/// A change of the level and its explanation: the contributions of the dependencies, the threshold
/// (`level_transition::threshold`) and what would change the level again (`level_transition::next`).
template <degradation_level Level>
struct explained_transition : level_transition<Level> {
  score_limit limit = score_limit::none;  ///< what limited the score apart from the weights
  std::size_t limited_by = 0;             ///< that dependency, when `limit` is `required`
  std::string actor{};                    ///< who set the override that began or ended; otherwise empty
  std::string reason{};                   ///< why it was set
  std::vector<level_contribution>
      contributions{};  ///< dependencies that lost points or were unknown, the greatest loss first
};

/// One feature at one moment.
struct feature_state {
  std::string name{};  ///< what `to_string` of the feature returns; without one, its number
  feature_mode mode = feature_mode::off;  ///< how the feature works now
  bool allowed_by_level = false;          ///< whether the level allows the feature; dependencies aside
  dependency_set needs{};                 ///< the dependencies that it needs
  dependency_set blocked_by{};            ///< those of them that refuse calls
};

/// The whole system at one moment.
template <degradation_level Level>
struct system_snapshot {
  time_point at{};       ///< when this was read, on the clock of the supervisor
  Level level{};         ///< in force
  Level health_level{};  ///< the level that health alone would give
  /// False until each probed dependency has answered or failed once. Until then there is no score, and the
  /// level is `level_policy::until_assessed`, or the worst one.
  bool assessed = false;
  bool ready = false;                     ///< whether the instance wants requests
  bool dry_run = false;                   ///< the level of health is recorded and does not come into force
  std::optional<double> score{};          ///< the score that the level was set by; empty: unknown
  std::optional<double> before_limits{};  ///< the score by weights alone
  score_limit limit = score_limit::none;  ///< why the two differ
  double at_most = 100;                   ///< the worst score of a required dependency
  std::size_t limited_by = 0;             ///< that dependency, when `at_most` is below 100
  double known_share = 0;                 ///< share of the weight that is known, in [0, 1]
  std::vector<component_snapshot> components{};            ///< the dependencies, by number
  std::vector<feature_state> feature_modes{};              ///< by number
  std::optional<level_override<Level>> active_override{};  ///< the override in force; empty if there is none
  level_outlook<Level> outlook{};                          ///< what would change the level that health gives
  /// When the level is predicted to be the best again. Empty at the best level, while an override holds, and
  /// before the first assessment.
  std::optional<recovery_estimate> recovery{};
  std::vector<explained_transition<Level>> transitions{};   ///< the last ones, oldest first
  std::vector<circuit_change> circuit_changes{};            ///< the last ones, oldest first
  std::vector<std::vector<std::uint64_t>> level_changes{};  ///< how often, [from][to]
  duration current_dwell{};  ///< how long the level must be held before it improves, now
};

}  // namespace brownout::inline BROWNOUT_ABI
