// SPDX-License-Identifier: BSL-1.0
#include "step_log.hpp"

#include "brownout/core/circuit_state.hpp"
#include "routes/views.hpp"

#include <chrono>

namespace staging {

namespace {

double seconds(brownout::duration value) {
  return std::chrono::duration<double>(value).count();
}

}  // namespace

void step_log::note(const supervisor::plan_type& plan) {
  const auto now = system_.watched().now();
  for (const auto& change : plan.circuit_changes) note_circuit(change, now);
  if (!started_) note_start(now);
  for (const auto& change : plan.level_changes) {
    log_.write(change.to > change.from ? log_level::warning : log_level::info, "level changed",
               transition_view(change, now));
  }
}

void step_log::note_start(brownout::time_point now) {
  const auto seen = system_.watched().snapshot(now);
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

void step_log::note_circuit(const brownout::circuit_change& change, brownout::time_point now) {
  auto& running = outages_.at(change.dependency);
  auto line = change_view(change, now);
  const auto severity = refuses_calls(change.to) ? log_level::warning : log_level::info;
  if (!running && change.to == brownout::circuit_state::open) {
    running = outage{change.at, change.reason};
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
  log_.write(severity, "outage ended", line);
  running.reset();
}

}  // namespace staging
