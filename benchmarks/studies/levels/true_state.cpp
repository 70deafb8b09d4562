// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/true_state.hpp"

#include "studies/shared/fate.hpp"

#include "brownout/health/component_score.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <set>

namespace studies::levels {

namespace {

double normal_below(double deviations) {
  return std::erfc(-deviations / std::numbers::sqrt2) / 2;
}

/// Of log-normal answers with a time-out.
struct answers {
  double in_time = 1;  ///< share
  double mean = 0;     ///< of those, in nanoseconds
};

answers answers_of(const phase& what_happens) {
  const auto median = std::log(healthy_median * what_happens.latency_factor);
  const auto deviations = (std::log(static_cast<double>(call_timeout.count())) - median) / healthy_spread;
  const auto in_time = normal_below(deviations);
  const auto mean = std::exp(median + healthy_spread * healthy_spread / 2);
  return {in_time, mean * normal_below(deviations - healthy_spread) / in_time};
}

const phase& phase_at(const truth& what_happens, nanoseconds now) {
  const auto next = std::find_if(what_happens.phases.begin() + 1, what_happens.phases.end(),
                                 [&](const phase& one) { return one.begins > now; });
  return *(next - 1);
}

true_state state_of(const std::array<const phase*, dependency_count>& phases) {
  true_state state;
  double score = 0;
  for (std::size_t i = 0; i < dependency_count; ++i) {
    score += weight[i] * true_score(*phases[i]);
    if (phases[i]->fails_first > 0.5) state.failing.insert(i);
  }
  // As the library rounds: a sum of weights must meet a threshold exactly.
  state.right = ladder.at(std::round(score * 1e6) / 1e6);
  state.working = offered(ladder.best(), state.failing);
  state.right_offer = offered(state.right, state.failing);
  return state;
}

}  // namespace

double true_score(const phase& what_happens) {
  const auto healthy_calls = answers_of(what_happens);
  const auto mean = brownout::duration{static_cast<std::int64_t>(healthy_calls.mean)};
  const auto share = (1 - what_happens.fails_first) * healthy_calls.in_time;
  if (share <= 0) return 0;
  return std::max(0.0, 100 * share - brownout::latency_budget{}.penalty(mean));
}

std::vector<true_state> true_states(const world& what_happens) {
  std::set<nanoseconds> changes;
  for (const auto& one : what_happens.dependencies) {
    for (const auto& each : one.phases) changes.insert(each.begins);
  }
  std::vector<true_state> states;
  for (const auto now : changes) {
    if (now >= truth::length) break;
    std::array<const phase*, dependency_count> phases{};
    for (std::size_t i = 0; i < dependency_count; ++i) {
      phases[i] = &phase_at(what_happens.dependencies[i], now);
    }
    auto state = state_of(phases);
    state.begins = now;
    states.push_back(state);
  }
  return states;
}

}  // namespace studies::levels
