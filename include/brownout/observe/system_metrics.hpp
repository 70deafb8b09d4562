// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/observe/detail/labelled_sink.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/observe/metric_sink.hpp"
#include "brownout/recovery/recovery_estimate.hpp"
#include "brownout/version.hpp"

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// The snapshot of a whole system, for example a `system_snapshot`: its components with circuit and score,
/// the score and the level of the system, how often the level changed, and the predicted recovery.
template <class S>
concept observable_system = requires(const S& system) {
  { system.components.front().circuit } -> std::convertible_to<breaker_snapshot>;
  { *system.score } -> std::convertible_to<double>;
  { to_string(system.level) } -> std::convertible_to<std::string_view>;
  system.level_changes[0][0];
  { system.recovery } -> std::convertible_to<std::optional<recovery_estimate>>;
  { system.ready } -> std::convertible_to<bool>;
};

/// Writes the metrics of a system for dashboards and alerts. The values of labels are the names of
/// dependencies, states and levels, so their number is bounded.
///
/// `with`: labels that each sample gets. They tell several systems on one page apart, for example
/// `{{"system", "shop"}}`. Default: none.
template <metric_sink Sink, observable_system System>
void write_metrics(Sink& into, const System& system, metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  using enum circuit_state;
  constexpr std::array states{closed, half_open, open, forced_open, disabled, metrics_only};
  using seconds = std::chrono::duration<double>;
  using level_type = decltype(system.level);
  const auto unknown = std::numeric_limits<double>::quiet_NaN();

  out.family("brownout_circuit_state", metric_type::gauge,
             "1 for the state that the circuit is in, 0 for the others.");
  for (const auto& one : system.components) {
    for (const auto state : states) {
      out.sample({{"dependency", one.name}, {"state", to_string(state)}}, one.circuit.state == state ? 1 : 0);
    }
  }
  out.family("brownout_circuit_transitions_total", metric_type::counter,
             "Changes of the circuit's state, as sampled.");
  for (const auto& one : system.components) {
    for (const auto from : states) {
      for (const auto to : states) {
        if (from == to || initiator_of(from, to) == transition_initiator::none) continue;
        out.sample({{"dependency", one.name}, {"from", to_string(from)}, {"to", to_string(to)}},
                   one.changes[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)]);
      }
    }
  }
  out.family("brownout_circuit_rejections_total", metric_type::counter, "Calls that the circuit refused.");
  for (const auto& one : system.components) out.sample({{"dependency", one.name}}, one.circuit.rejections);
  out.family("brownout_circuit_late_results_total", metric_type::counter,
             "Results that came after the circuit had moved on, and changed nothing.");
  for (const auto& one : system.components) out.sample({{"dependency", one.name}}, one.circuit.late_results);
  out.family("brownout_recovery_seconds", metric_type::summary,
             "How long ended outages lasted, from opening to closing.");
  for (const auto& one : system.components) {
    const auto total = std::chrono::duration_cast<seconds>(one.outage_time).count();
    out.summary({{"dependency", one.name}}, total, one.outages);
  }
  out.family("brownout_component_health_score", metric_type::gauge,
             "Health of the dependency, 0 to 100; NaN when unknown.");
  for (const auto& one : system.components) {
    out.sample({{"dependency", one.name}}, one.health.score.value_or(unknown));
  }
  out.family("brownout_health_score", metric_type::gauge,
             "Health of the system, 0 to 100; NaN when unknown.");
  out.sample({}, system.score.value_or(unknown));

  out.family("brownout_known_weight_share", metric_type::gauge,
             "Share of the weight whose health is known, 0 to 1.");
  out.sample({}, system.known_share);
  out.family("brownout_ready", metric_type::gauge, "1 while the instance wants requests.");
  out.sample({}, system.ready ? 1 : 0);
  out.family("brownout_override_active", metric_type::gauge, "1 while an operator's override holds.");
  out.sample({}, system.active_override ? 1 : 0);

  const auto predicted = [&](const std::optional<recovery_estimate>& recovery, std::string_view dependency) {
    const auto in_seconds = [&](std::optional<duration> wait) {
      return wait ? std::chrono::duration_cast<seconds>(*wait).count() : unknown;
    };
    const auto known = recovery.value_or(recovery_estimate{});
    out.sample({{"dependency", dependency}, {"chance", "0.5"}}, in_seconds(known.p50));
    out.sample({{"dependency", dependency}, {"chance", "0.9"}}, in_seconds(known.p90));
  };
  out.family("brownout_predicted_recovery_seconds", metric_type::gauge,
             "How long the running outage will last yet, and with no dependency the degradation; NaN when "
             "unknown or when there is none.");
  for (const auto& one : system.components) predicted(one.recovery, one.name);
  predicted(system.recovery, "");

  const auto levels = system.level_changes.size();
  out.family("brownout_degradation_level", metric_type::gauge, "1 for the level in force, 0 for the others.");
  for (std::size_t i = 0; i < levels; ++i) {
    const auto level = static_cast<level_type>(i);
    out.sample({{"level", to_string(level)}}, system.level == level ? 1 : 0);
  }
  out.family("brownout_degradation_transitions_total", metric_type::counter,
             "Changes of the level, those only noted in a dry run included.");
  for (std::size_t from = 0; from < levels; ++from) {
    for (std::size_t to = 0; to < levels; ++to) {
      if (from == to) continue;
      out.sample({{"from", to_string(static_cast<level_type>(from))},
                  {"to", to_string(static_cast<level_type>(to))}},
                 system.level_changes[from][to]);
    }
  }
}

}  // namespace brownout::inline BROWNOUT_ABI
