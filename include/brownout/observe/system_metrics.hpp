// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/observe/circuit_metrics.hpp"
#include "brownout/observe/detail/labelled_sink.hpp"
#include "brownout/observe/histogram.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/observe/metric_sink.hpp"
#include "brownout/recovery/recovery_estimate.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// The snapshot of a whole system, for example a `system_snapshot`: its components with circuit, calls and
/// score, the score of the system, its level in force and by health, how often the level changed, the modes
/// of its features, and the predicted recovery.
template <class S>
concept observable_system = requires(const S& system) {
  { system.components.front().circuit } -> std::convertible_to<breaker_snapshot>;
  { system.components.front().calls.successful } -> std::convertible_to<std::uint64_t>;
  { system.components.front().latency } -> std::convertible_to<const histogram::snapshot&>;
  { system.components.front().refused } -> std::convertible_to<std::optional<double>>;
  { system.components.front().since_probe_success } -> std::convertible_to<std::optional<duration>>;
  { system.components.front().probe_running_for } -> std::convertible_to<std::optional<duration>>;
  { system.feature_modes.front().name } -> std::convertible_to<std::string_view>;
  { system.feature_modes.front().mode } -> std::convertible_to<feature_mode>;
  { system.feature_modes.front().blocked_by } -> std::convertible_to<dependency_set>;
  { *system.score } -> std::convertible_to<double>;
  { to_string(system.level) } -> std::convertible_to<std::string_view>;
  { to_string(system.health_level) } -> std::convertible_to<std::string_view>;
  system.level_changes[0][0];
  { system.recovery } -> std::convertible_to<std::optional<recovery_estimate>>;
  { system.assessed } -> std::convertible_to<bool>;
  { system.ready } -> std::convertible_to<bool>;
  { system.active_override->expires } -> std::convertible_to<time_point>;
};

namespace detail {

inline constexpr double unknown_value = std::numeric_limits<double>::quiet_NaN();

[[nodiscard]] inline double in_seconds(std::optional<duration> wait) noexcept {
  return wait ? std::chrono::duration<double>(*wait).count() : unknown_value;
}

template <class Out>
void write_recovery(Out& out, std::string_view dependency, const std::optional<recovery_estimate>& recovery) {
  out.family("brownout_predicted_recovery_seconds", metric_type::gauge,
             "How long the running outage will last yet, and with no dependency the degradation; NaN when "
             "unknown or when there is none.");
  const auto known = recovery.value_or(recovery_estimate{});
  out.sample({{"dependency", dependency}, {"chance", "0.5"}}, in_seconds(known.p50));
  out.sample({{"dependency", dependency}, {"chance", "0.9"}}, in_seconds(known.p90));
}

/// A rate misses the first increment of a series that begins with it. So the changes of an outage are written
/// from the start. The others, nearly all of them zero for ever, are written once they have happened.
[[nodiscard]] constexpr bool is_change_of_outage(circuit_state from, circuit_state to) noexcept {
  using enum circuit_state;
  return (from == closed && to == open) || (from == open && to == half_open) ||
         (from == half_open && (to == open || to == closed));
}

template <class Out, class Component>
void write_transitions(Out& out, const Component& one) {
  out.family("brownout_circuit_transitions_total", metric_type::counter,
             "Changes of the circuit's state, as sampled.");
  for (const auto from : all_circuit_states) {
    for (const auto to : all_circuit_states) {
      const auto count = one.changes[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
      if (from == to || (count == 0 && !is_change_of_outage(from, to))) continue;
      out.sample({{"dependency", one.name}, {"from", to_string(from)}, {"to", to_string(to)}}, count);
    }
  }
}

template <class Out, class Component>
void write_calls(Out& out, const Component& one) {
  detail::begin_calls(out);
  const auto kind = [&](std::string_view name, auto count) {
    out.sample({{"dependency", one.name}, {"kind", name}}, count);
  };
  kind("successful", one.calls.successful);
  kind("failed", one.calls.failed);
  kind("ignored", one.calls.ignored);
  kind("slow", one.calls.slow);
  kind("rejected", one.calls.rejected);
  kind("late", one.calls.late);
  out.family("brownout_dependency_latency_seconds", metric_type::histogram,
             "How long calls took. A part of the calls is timed, and the counts are scaled to all calls.");
  out.sample({{"dependency", one.name}}, one.latency);
}

/// Ages, not points in time: the library's clock knows no date.
template <class Out, class Component>
void write_probe(Out& out, const Component& one) {
  if (!one.probed) return;
  out.family("brownout_probe_success_age_seconds", metric_type::gauge,
             "Time since the probe last succeeded; NaN before its first success.");
  out.sample({{"dependency", one.name}}, in_seconds(one.since_probe_success));
  out.family("brownout_probe_running_seconds", metric_type::gauge,
             "How long the probe has been running; 0 while none runs.");
  out.sample({{"dependency", one.name}}, in_seconds(one.probe_running_for.value_or(duration::zero())));
}

template <class Out, class Component>
void write_refused(Out& out, const Component& one) {
  if (!one.refused) return;
  out.family("brownout_refused_share", metric_type::gauge,
             "Share of calls that the limit around the dependency refused in the latest 10 s, 0 to 1.");
  out.sample({{"dependency", one.name}}, *one.refused);
}

template <class Out, class Component>
void write_component(Out& out, const Component& one) {
  detail::write_circuit(out, one.name, one.circuit);
  detail::write_transitions(out, one);
  detail::write_calls(out, one);
  detail::write_probe(out, one);
  detail::write_refused(out, one);
  out.family("brownout_recovery_seconds", metric_type::summary,
             "How long ended outages lasted, from opening to closing.");
  out.summary({{"dependency", one.name}}, in_seconds(one.outage_time), one.outages);
  out.family("brownout_component_health_score", metric_type::gauge,
             "Health of the dependency, 0 to 100; NaN when unknown.");
  out.sample({{"dependency", one.name}}, one.health.score.value_or(unknown_value));
  detail::write_recovery(out, one.name, one.recovery);
}

template <class Out, class System>
void write_levels(Out& out, const System& system) {
  using level_type = decltype(system.level);
  const auto levels = system.level_changes.size();
  const auto each_level = [&](level_type now, bool known) {
    for (std::size_t i = 0; i < levels; ++i) {
      const auto level = static_cast<level_type>(i);
      out.sample({{"level", to_string(level)}}, known && level == now ? 1 : 0);
    }
  };
  // Before the first assessment the level is only assumed: an alert or a dashboard must not take it for one.
  out.family("brownout_degradation_level", metric_type::gauge,
             "1 for the level in force, 0 for the others; 0 for all before the first assessment, unless an "
             "override holds.");
  each_level(system.level, system.assessed || system.active_override);
  out.family("brownout_health_level", metric_type::gauge,
             "1 for the level that health alone would give, 0 for the others; 0 for all before the first "
             "assessment.");
  each_level(system.health_level, system.assessed);
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

template <class Out, class System>
void write_features(Out& out, const System& system) {
  out.family("brownout_feature_mode", metric_type::gauge,
             "1 for the mode in which the feature is offered, 0 for the others.");
  using enum feature_mode;
  for (const auto& one : system.feature_modes) {
    for (const auto mode : {off, cached, reduced, full}) {
      out.sample({{"feature", one.name}, {"mode", to_string(mode)}}, one.mode == mode ? 1 : 0);
    }
  }
  out.family("brownout_feature_blocked", metric_type::gauge,
             "1 while the dependency refuses the calls that the feature needs, and with no dependency while "
             "the level does not allow the feature.");
  for (const auto& one : system.feature_modes) {
    out.sample({{"feature", one.name}, {"dependency", ""}}, one.allowed_by_level ? 0 : 1);
    for (std::size_t i = 0; i < system.components.size(); ++i) {
      if (!one.needs.contains(i)) continue;
      out.sample({{"feature", one.name}, {"dependency", system.components[i].name}},
                 one.blocked_by.contains(i) ? 1 : 0);
    }
  }
}

template <class Out, class System>
void write_override(Out& out, const System& system) {
  out.family("brownout_override_active", metric_type::gauge, "1 while an operator's override holds.");
  out.sample({}, system.active_override ? 1 : 0);
  if (!system.active_override) return;
  out.family("brownout_override_info", metric_type::gauge,
             "1 for the override that holds; absent without one.");
  const auto& held = *system.active_override;
  out.sample({{"kind", to_string(held.kind)}, {"level", to_string(held.level)}, {"actor", held.actor}}, 1);
}

}  // namespace detail

/// Writes the metrics of a system for dashboards and alerts. The values of labels are the names of
/// dependencies, features, states and levels, so their number is bounded. The one exception is the actor of
/// the override that holds.
///
/// `with`: labels that each sample gets. They tell several systems on one page apart, for example
/// `{{"system", "shop"}}`. Default: none.
template <metric_sink Sink, observable_system System>
void write_metrics(Sink& into, const System& system, metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  for (const auto& one : system.components) detail::write_component(out, one);
  detail::write_recovery(out, "", system.recovery);
  out.family("brownout_health_score", metric_type::gauge,
             "Health of the system, 0 to 100; NaN when unknown.");
  out.sample({}, system.score.value_or(detail::unknown_value));
  out.family("brownout_known_weight_share", metric_type::gauge,
             "Share of the weight whose health is known, 0 to 1.");
  out.sample({}, system.known_share);
  out.family("brownout_ready", metric_type::gauge, "1 while the instance wants requests.");
  out.sample({}, system.ready ? 1 : 0);
  detail::write_override(out, system);
  detail::write_levels(out, system);
  detail::write_features(out, system);
}

/// Writes moments as Unix time: when the outage of a dependency began, when its running probe began, and when
/// the override that holds expires. While there is none, the sample is absent. `write_metrics` does not write
/// them, because the library's clock knows no date.
///
///     const auto seen = shop.snapshot();
///     write_metrics(page, seen);
///     write_timestamps(page, seen, std::chrono::system_clock::now());
///
/// `taken`: date and time at which the snapshot was taken. `with`: as for `write_metrics`.
template <metric_sink Sink, observable_system System>
void write_timestamps(Sink& into, const System& system, std::chrono::system_clock::time_point taken,
                      metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  const auto unix_time = [&](duration since) {
    // Whole milliseconds: the two clocks do not advance alike, and what does not change must not seem to.
    const auto exact = taken.time_since_epoch() + since;
    return std::chrono::duration<double>(std::chrono::round<std::chrono::milliseconds>(exact)).count();
  };
  out.family("brownout_outage_start_timestamp_seconds", metric_type::gauge,
             "When the running outage of the dependency began, as Unix time; absent without one.");
  for (const auto& one : system.components) {
    if (one.outage_began) out.sample({{"dependency", one.name}}, unix_time(*one.outage_began - system.at));
  }
  out.family("brownout_probe_start_timestamp_seconds", metric_type::gauge,
             "When the running probe of the dependency began, as Unix time; absent while none runs.");
  for (const auto& one : system.components) {
    if (one.probe_running_for) out.sample({{"dependency", one.name}}, unix_time(-*one.probe_running_for));
  }
  if (!system.active_override) return;
  out.family("brownout_override_expiry_timestamp_seconds", metric_type::gauge,
             "When the override that holds expires, as Unix time; absent without one.");
  out.sample({}, unix_time(system.active_override->expires - system.at));
}

}  // namespace brownout::inline BROWNOUT_ABI
