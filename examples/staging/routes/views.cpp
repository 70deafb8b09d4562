// SPDX-License-Identifier: BSL-1.0
#include "routes/views.hpp"

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/observe/explanation.hpp"
#include "http/date.hpp"
#include "service/trouble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <vector>

namespace staging {

namespace {

using brownout::duration;
using brownout::time_point;

double seconds(duration value) {
  return std::chrono::duration<double>(value).count();
}
double milliseconds(duration value) {
  return std::chrono::duration<double, std::milli>(value).count();
}

json number_or_null(std::optional<double> value) {
  return value ? json(*value) : json(nullptr);
}

std::string name_of(std::size_t number) {
  return std::string{to_string(all_dependencies[number])};
}

json names_of(brownout::dependency_set set) {
  auto names = json::array();
  for (const auto which : all_dependencies) {
    if (set.contains(which)) names.push_back(to_string(which));
  }
  return names;
}

std::string why(const brownout::feature_verdict& verdict, level now) {
  if (verdict.returning) return fmt::format("allowed at {}, and coming back step by step", to_string(now));
  if (verdict.mode != brownout::feature_mode::off)
    return "allowed by the level, and every circuit it needs lets calls pass";
  std::string reason;
  if (!verdict.allowed_by_level) reason = fmt::format("not allowed at {}", to_string(now));
  for (const auto which : all_dependencies) {
    if (!verdict.blocked_by.contains(which)) continue;
    reason += fmt::format("{}the circuit of {} refuses calls", reason.empty() ? "" : "; ", to_string(which));
  }
  return reason;
}

json calls_view(const brownout::call_counts& counted) {
  return {{"successful", counted.successful},
          {"failed", counted.failed},
          {"ignored", counted.ignored},
          {"rejected", counted.rejected},
          {"late", counted.late}};
}

json pool_view(const pool_usage& usage) {
  return {{"capacity", usage.capacity},
          {"in_use", usage.in_use},
          {"idle", usage.idle},
          {"waiting", usage.waiting}};
}

json text_or_null(std::string_view text) {
  return text.empty() ? json(nullptr) : json(text);
}

json time_or_null(const std::optional<time_point>& at, time_point now) {
  return at ? json(wall_time(*at, now)) : json(nullptr);
}

/// What the chart and the timeline of the live page reach back to.
constexpr std::chrono::minutes shown_for{30};

/// The outages of the last half hour, or at least the last one.
json outages_view(const std::vector<brownout::circuit_outage>& outages, time_point now) {
  auto list = json::array();
  for (const auto& one : outages) {
    const bool is_last = &one == &outages.back();
    if (!is_last && one.ended && *one.ended < now - shown_for) continue;
    list.push_back({{"number", one.number},
                    {"began", wall_time(one.began, now)},
                    {"ended", time_or_null(one.ended, now)},
                    {"reason", one.reason},
                    {"failed_tries", one.failed_tries},
                    {"last_try_at", time_or_null(one.last_try_at, now)}});
  }
  return list;
}

json last_failure_view(const brownout::component_snapshot& one, time_point now) {
  if (one.circuit.last_failure.empty()) return nullptr;
  return {{"at", wall_time(one.circuit.last_failure_at, now)},
          {"source", one.last_failure_was_probe ? "probe" : "call"},
          {"reason", one.circuit.last_failure.view()}};
}

/// Who holds a circuit open, since when and why.
json held_view(staging_system& system, dependency which, brownout::circuit_state state,
               const std::string& since) {
  if (state != brownout::circuit_state::forced_open) return nullptr;
  const auto by = system.operators().last_of(which);
  if (!by) return nullptr;
  return {{"actor", by->actor}, {"reason", by->reason}, {"since", since}};
}

}  // namespace

std::string wall_time(time_point at, time_point now) {
  using std::chrono::system_clock;
  return iso_time(system_clock::now() - std::chrono::duration_cast<system_clock::duration>(now - at));
}

json recovery_view(const std::optional<brownout::recovery_estimate>& recovery) {
  if (!recovery || !recovery->p50 || !recovery->p90) return nullptr;
  return {{"p50", seconds(*recovery->p50)}, {"p90", seconds(*recovery->p90)}};
}

json bool_or_null(std::optional<bool> value) {
  return value ? json(*value) : json(nullptr);
}

json seconds_or_null(std::optional<duration> value) {
  if (!value || *value == brownout::rejection::unknown) return nullptr;
  return seconds(*value);
}

std::string retry_after(staging_system& system, feature which) {
  const auto wait = std::max<duration>(system.watched().retry_after(which), std::chrono::seconds{1});
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count());
}

bool is_starting(const system_snapshot& seen) {
  return !seen.assessed && !seen.active_override;
}

std::string_view level_view(const system_snapshot& seen) {
  return is_starting(seen) ? "STARTING" : to_string(seen.level);
}

std::uint64_t circuit_changes_so_far(const system_snapshot& seen) {
  std::uint64_t all = 0;
  for (const auto& one : seen.components) {
    for (const auto& from : one.changes) all = std::accumulate(from.begin(), from.end(), all);
  }
  return all;
}

json simulation_view(const simulated_behaviour& behaviour) {
  return {{"mode", to_string(behaviour.mode)},
          {"latency_ms", milliseconds(latency_of(behaviour))},
          {"error_rate", behaviour.error_rate}};
}

json circuits_view(staging_system& system, const system_snapshot& seen) {
  auto list = json::array();
  for (std::size_t i = 0; i < seen.components.size(); ++i) {
    const auto& one = seen.components[i];
    const auto& circuit = one.circuit;
    const auto& configured = system.configured().dependencies[i];
    const auto since = wall_time(circuit.since, seen.at);
    list.push_back({
        {"name", one.name},
        {"state", to_string(circuit.state)},
        {"simulated", configured.simulated},
        {"since", since},
        {"epoch", circuit.epoch},
        {"consecutive_failures", circuit.consecutive_failures},
        {"failure_threshold", configured.failure_threshold},
        {"recovery_timeout_seconds", seconds(configured.recovery_timeout)},
        {"retry_after_seconds", seconds_or_null(circuit.retry_after)},
        {"half_open",
         {{"needed", circuit.probes_needed},
          {"succeeded", circuit.probes_succeeded},
          {"in_flight", circuit.probes_in_flight}}},
        {"rejections", circuit.rejections},
        {"late_results", circuit.late_results},
        {"calls", calls_view(one.calls)},
        {"recent",
         {{"calls", one.recent.calls},
          {"successes", one.recent.successes},
          {"mean_latency_ms", milliseconds(one.recent.mean_latency)}}},
        {"probe",
         {{"timeout_seconds", seconds(configured.timeout)},
          {"last_at", time_or_null(one.last_probe_at, seen.at)},
          {"last_latency_ms", milliseconds(one.last_probe_latency)},
          {"last_error", one.last_error},
          {"since_success_seconds", seconds_or_null(one.since_probe_success)},
          {"running_for_seconds", seconds_or_null(one.probe_running_for)},
          {"hanging", one.probe_hanging}}},
        {"outages",
         {{"ended", one.outages},
          {"total_seconds", seconds(one.outage_time)},
          {"running_since", time_or_null(one.outage_began, seen.at)},
          {"recent", outages_view(one.last_outages, seen.at)},
          {"call_succeeded_since",
           bool_or_null(system.call_succeeded_since_outage(all_dependencies[i], one))}}},
        {"trouble", to_string(trouble_of(one, system.configured().latency))},
        {"last_failure", last_failure_view(one, seen.at)},
        {"held", held_view(system, all_dependencies[i], circuit.state, since)},
        {"simulation", configured.simulated
                           ? simulation_view(system.simulator_of(all_dependencies[i]).behaviour())
                           : json(nullptr)},
        {"predicted_recovery_seconds", recovery_view(one.recovery)},
    });
  }
  return list;
}

namespace {

/// Calls `member(name, value)` for each thing that is said of a component.
template <class Member>
void describe_component(const staging_system& system, const system_snapshot& seen, std::size_t number,
                        Member member) {
  const auto& one = seen.components[number];
  member("state", to_string(one.circuit.state));
  member("score", one.health.score);
  member("unknown", !one.health.score.has_value());
  member("weight", one.configured_weight);
  member("points", one.health.points);
  member("lost_points", one.health.lost);
  member("trust", one.health.trust);
  member("criticality", to_string(one.criticality));
  member("mean_latency_ms", milliseconds(one.recent.mean_latency));
  member("last_error", one.last_error);
  member("simulated", system.simulated(all_dependencies[number]));
}

}  // namespace

json components_view(const staging_system& system, const system_snapshot& seen) {
  auto components = json::object();
  for (std::size_t i = 0; i < seen.components.size(); ++i) {
    auto& view = components[seen.components[i].name];
    describe_component(system, seen, i, [&](const char* name, const auto& value) {
      if constexpr (std::is_same_v<decltype(value), const std::optional<double>&>)
        view[name] = number_or_null(value);
      else
        view[name] = value;
    });
  }
  return components;
}

void write_components(json_text& out, const staging_system& system, const system_snapshot& seen) {
  for (std::size_t i = 0; i < seen.components.size(); ++i) {
    out.begin(seen.components[i].name);
    describe_component(system, seen, i,
                       [&](const char* name, const auto& value) { out.member(name, value); });
    out.end();
  }
}

json features_view(const brownout::feature_view_for<features>& offered, std::string_view shown) {
  auto list = json::array();
  std::size_t available = 0;
  std::size_t allowed = 0;
  for (std::size_t i = 0; i < feature_count; ++i) {
    const auto one = static_cast<feature>(i);
    const auto verdict = offered.explain(one);
    const auto& rule = features.rule(one);
    available += verdict.mode != brownout::feature_mode::off ? 1 : 0;
    allowed += verdict.allowed_by_level ? 1 : 0;
    list.push_back({
        {"name", to_string(one)},
        {"available", verdict.mode != brownout::feature_mode::off},
        {"mode", to_string(verdict.mode)},
        {"returning", verdict.returning},
        {"allowed_by_level", verdict.allowed_by_level},
        {"last_level", to_string(rule.last)},
        {"needs", names_of(rule.needs)},
        {"blocked_by", names_of(verdict.blocked_by)},
        {"reason", why(verdict, offered.level())},
    });
  }
  return {{"degradation_level", shown},
          {"total", feature_count},
          {"allowed_by_level", allowed},
          {"available", available},
          {"features", std::move(list)}};
}

json transition_view(const brownout::explained_transition<level>& change, time_point now) {
  auto signals = json::array();
  for (const auto& signal : change.contributions) {
    signals.push_back({{"dependency", name_of(signal.dependency)},
                       {"state", to_string(signal.state)},
                       {"score", number_or_null(signal.score)},
                       {"lost_points", signal.lost}});
  }
  return {{"from", to_string(change.from)},
          {"to", to_string(change.to)},
          {"cause", to_string(change.cause)},
          {"score", number_or_null(change.score)},
          {"threshold", number_or_null(change.threshold)},
          {"held_seconds", seconds(change.held)},
          {"signals", std::move(signals)},
          {"actor", text_or_null(change.actor)},
          {"reason", text_or_null(change.reason)},
          {"explanation", brownout::explain(change, name_of)},
          {"at", wall_time(change.at, now)}};
}

json change_view(const brownout::circuit_change& change, time_point now) {
  return {{"dependency", name_of(change.dependency)},
          {"from", to_string(change.from)},
          {"to", to_string(change.to)},
          {"reason", change.reason},
          {"at", wall_time(change.at, now)}};
}

json outlook_view(const brownout::level_outlook<level>& next) {
  json better = nullptr;
  if (next.better) {
    better = {{"level", to_string(*next.better)},
              {"score", next.better_at},
              {"held_for_seconds", seconds(next.better_after)},
              {"in_seconds", seconds_or_null(next.better_in)}};
  }
  json worse = nullptr;
  if (next.worse) worse = {{"level", to_string(*next.worse)}, {"below_score", next.worse_below}};
  return {
      {"better", std::move(better)}, {"worse", std::move(worse)}, {"explanation", brownout::explain(next)}};
}

namespace {

std::uint64_t level_changes_so_far(const system_snapshot& seen) {
  std::uint64_t all = 0;
  for (const auto& from : seen.level_changes) all = std::accumulate(from.begin(), from.end(), all);
  return all;
}

}  // namespace

json degradation_view(staging_system& system, const system_snapshot& seen) {
  const auto& from = system.configured();
  const auto limits = settings_at[seen.level];
  json pinned = nullptr;
  if (seen.active_override) {
    pinned = {{"kind", to_string(seen.active_override->kind)},
              {"level", to_string(seen.active_override->level)},
              {"reason", seen.active_override->reason},
              {"actor", seen.active_override->actor},
              {"expires_in_seconds", seconds(seen.active_override->expires - seen.at)}};
  }
  auto levels = json::array();
  const auto& policy = system.watched().options().levels;
  for (const auto& rung : policy.ladder.rungs()) {
    const auto one = rung.level;
    const auto set = settings_at[one];
    levels.push_back({{"level", to_string(one)},
                      {"from_score", rung.from},
                      {"enter_score", policy.needed_for(one)},
                      {"features", features.allowed_at(one)},
                      {"pool_size_factor", set.pool_size},
                      {"cache_ttl_seconds", set.cache_ttl.count()},
                      {"batch_size_factor", set.batch_size}});
  }
  // Both lists end with the latest change, whose number is how many there have been.
  auto transitions = json::array();
  auto number = level_changes_so_far(seen) - seen.transitions.size();
  for (const auto& change : seen.transitions) {
    auto& view = transitions.emplace_back(transition_view(change, seen.at));
    view["sequence"] = ++number;
  }
  auto changes = json::array();
  number = circuit_changes_so_far(seen) - seen.circuit_changes.size();
  for (const auto& change : seen.circuit_changes) {
    auto& view = changes.emplace_back(change_view(change, seen.at));
    view["sequence"] = ++number;
    const auto by = system.operators().of_change(all_dependencies[change.dependency], number);
    view["actor"] = by ? json(by->actor) : json(nullptr);
    if (by) view["reason"] = by->reason;
  }
  auto releases = json::array();
  for (const auto& [released, at, by] : system.operators().releases()) {
    releases.push_back(
        {{"sequence", released}, {"at", wall_time(at, seen.at)}, {"actor", by.actor}, {"reason", by.reason}});
  }
  auto history = json::array();
  for (const auto& [at, score, in_force] : system.scores().points()) {
    history.push_back(
        {{"at", wall_time(at, seen.at)}, {"score", number_or_null(score)}, {"level", to_string(in_force)}});
  }
  return {
      {"degradation_level", level_view(seen)},
      {"level_by_health", seen.assessed ? json(to_string(seen.health_level)) : json(nullptr)},
      {"assessed", seen.assessed},
      {"ready", seen.ready},
      {"dry_run", seen.dry_run},
      {"health_score", number_or_null(seen.score)},
      {"score_before_limits", number_or_null(seen.before_limits)},
      {"score_limit", to_string(seen.limit)},
      {"known_share", seen.known_share},
      {"components", components_view(system, seen)},
      {"override", std::move(pinned)},
      {"outlook", outlook_view(seen.outlook)},
      {"predicted_recovery_seconds", recovery_view(seen.recovery)},
      {"hysteresis_points", from.hysteresis},
      {"dwell_seconds", seconds(from.dwell)},
      {"current_dwell_seconds", seconds(seen.current_dwell)},
      {"longest_dwell_seconds", seconds(from.dwell) * from.dwell_limit},
      {"settings",
       {{"pool_size_factor", limits.pool_size},
        {"cache_ttl_seconds", limits.cache_ttl.count()},
        {"batch_size_factor", limits.batch_size}}},
      {"pools",
       {{"database", pool_view(system.usage_of_database())},
        {"redis", pool_view(system.usage_of_redis())},
        {"openai", pool_view(system.usage_of_openai())}}},
      {"levels", std::move(levels)},
      {"score_history", std::move(history)},
      {"transitions", std::move(transitions)},
      {"circuit_changes", std::move(changes)},
      {"releases", std::move(releases)},
  };
}

}  // namespace staging
