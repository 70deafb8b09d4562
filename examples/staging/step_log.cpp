// SPDX-License-Identifier: BSL-1.0
#include "step_log.hpp"

#include "brownout/core/circuit_state.hpp"
#include "routes/views.hpp"
#include "service/trouble.hpp"

#include <algorithm>
#include <chrono>

namespace staging {

namespace {

// A score below this, for that long, is worth a line: a failure or two are not, and an outage that begins has
// its own. It is over once the score is good again, not when it is a little better.
constexpr double trouble_below = 80;
constexpr double trouble_until = 95;
constexpr std::chrono::seconds trouble_after{5};

double seconds(brownout::duration value) {
  return std::chrono::duration<double>(value).count();
}

}  // namespace

void step_log::note(const supervisor::plan_type& plan, const system_snapshot& seen) {
  for (const auto& change : plan.circuit_changes) note_circuit(change, seen);
  if (!started_) note_start(seen);
  for (const auto& change : plan.level_changes) {
    log_.write(change.to > change.from ? log_level::warning : log_level::info, "level changed",
               transition_view(change, seen.at));
    if (change.to == level::optimal) outages_below_optimal_.fill(0);
  }
  for (std::size_t i = 0; i < dependency_count; ++i) {
    note_first_call(i, seen);
    note_trouble(i, seen);
  }
}

void step_log::note_start(const system_snapshot& seen) {
  const auto now = seen.at;
  started_ = seen.assessed;
  const bool first = !starting_since_;
  if (first) starting_since_ = now;
  if (first || (!started_ && !told_ && now - *starting_since_ > std::chrono::seconds{1})) {
    told_ = !first;
    auto awaited = json::array();
    for (const auto& one : seen.components) {
      if (!one.last_probe_at) awaited.push_back(one.name);
    }
    log_.info("starting", {{"waits_for", std::move(awaited)}});
  }
  if (!started_) return;
  log_.write(seen.level == level::optimal ? log_level::info : log_level::warning, "started",
             {{"degradation_level", to_string(seen.level)},
              {"health_score", seen.score ? json(*seen.score) : json(nullptr)},
              {"seconds", seconds(now - *starting_since_)}});
}

void step_log::note_circuit(const brownout::circuit_change& change, const system_snapshot& seen) {
  const auto which = change.dependency;
  auto& running = outages_.at(which);
  auto& earlier = outages_below_optimal_.at(which);
  auto line = change_view(change, seen.at);
  const auto severity = refuses_calls(change.to) ? log_level::warning : log_level::info;
  if (!running && change.to == brownout::circuit_state::open) {
    running = outage{change.at, change.reason};
    // Before the level was back at OPTIMAL: likely the same cause, which probes do not see.
    if (earlier > 0) line["relapse"] = earlier;
    ++earlier;
    unproven_since_.at(which).reset();
    log_.write(severity, "outage began", line);
    return;
  }
  if (!running) {  // an operator's doing
    log_.write(severity, "circuit changed", line);
    return;
  }
  if (change.reason.empty()) line["reason"] = running->reason;
  if (change.to == brownout::circuit_state::half_open) ++running->tries;
  if (change.to == brownout::circuit_state::half_open || change.to == brownout::circuit_state::open) {
    log_.debug("circuit changed", line);
    return;
  }
  line["seconds"] = seconds(change.at - running->began);
  line["tries"] = running->tries;
  const auto proven = system_.call_succeeded_since_outage(all_dependencies.at(which), seen.components[which]);
  line["call_succeeded"] = bool_or_null(proven);
  if (proven == false) unproven_since_.at(which) = change.at;
  log_.write(severity, "outage ended", line);
  running.reset();
  if (seen.level == level::optimal) earlier = 0;
}

void step_log::note_first_call(std::size_t which, const system_snapshot& seen) {
  auto& since = unproven_since_.at(which);
  if (!since) return;
  if (system_.call_succeeded_since_outage(all_dependencies.at(which), seen.components[which]) != true) return;
  log_.info("first call after outage succeeded",
            {{"dependency", seen.components[which].name}, {"seconds", seconds(seen.at - *since)}});
  since.reset();
}

void step_log::note_trouble(std::size_t which, const system_snapshot& seen) {
  const auto& one = seen.components[which];
  const bool is_closed = one.circuit.state == brownout::circuit_state::closed;
  const double score = one.health.score.value_or(100);  // unknown: nothing to tell
  auto& now = spells_.at(which);
  const bool is_told = now && !now->kind.empty();
  if (!is_closed || score >= (is_told ? trouble_until : trouble_below)) {
    if (is_told) {
      log_.info("trouble ended", {{"dependency", one.name},
                                  {"trouble", now->kind},
                                  {"circuit", to_string(one.circuit.state)},
                                  {"seconds", seconds(seen.at - now->began)},
                                  {"lowest_score", now->lowest}});
    }
    now.reset();
    return;
  }
  if (!now) now = spell{.began = seen.at, .kind = {}};
  now->lowest = std::min(now->lowest, score);
  if (is_told || seen.at - now->began < trouble_after) return;
  now->kind = to_string(trouble_of(one, system_.configured().latency));
  log_.warning("trouble began", {{"dependency", one.name},
                                 {"trouble", now->kind},
                                 {"since", wall_time(now->began, seen.at)},
                                 {"score", score},
                                 {"recent_calls", one.recent.calls},
                                 {"recent_failures", one.recent.calls - one.recent.successes},
                                 {"mean_latency_ms", seconds(one.recent.mean_latency) * 1e3},
                                 {"reason", one.last_error}});
}

}  // namespace staging
