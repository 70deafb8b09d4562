// SPDX-License-Identifier: BSL-1.0
#include "studies/guards/retries/goals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace studies::guards {

namespace {

constexpr double most_attempts_in_outage = 1.05;
constexpr double most_attempts_at_heavy_errors = 1.2;
constexpr double least_answered_at_light_errors = 99.5;  // %
constexpr double least_answered_in_interruptions = 90;   // %
constexpr double least_answered_with_breaker = 89;       // %, in an overload
constexpr double most_recovery = 1.4;                    // times that without retries

double attempts(const retry_figures& one) {
  return one.attempts / one.calls;
}
double answered(const retry_figures& one) {
  return 100 * one.answered / one.calls;
}

const std::vector<retry_figures>& figures_of(const measured& found, retry_entrant kind) {
  const auto at = std::find_if(found.policies.begin(), found.policies.end(),
                               [kind](const retry_policy& one) { return one.kind == kind; });
  return found.figures[static_cast<std::size_t>(at - found.policies.begin())];
}

goal goal_of(std::string_view fleet, const trace& here, const retry_figures& ours,
             const retry_figures& none) {
  const auto about = fmt::format("{}, {}: ", fleet, here.name);
  const auto at_most = [&](double limit) {
    return goal{about + fmt::format("{:.3f} attempts for each call, at most {}", attempts(ours), limit),
                attempts(ours) <= limit};
  };
  const auto at_least = [&](double limit) {
    return goal{about + fmt::format("{:.2f} % answered, at least {}", answered(ours), limit),
                answered(ours) >= limit};
  };
  switch (here.judged_by) {
    case aim::outage:
      return at_most(most_attempts_in_outage);
    case aim::heavy_errors:
      return at_most(most_attempts_at_heavy_errors);
    case aim::light_errors:
      return at_least(least_answered_at_light_errors);
    case aim::interruptions:
      return at_least(least_answered_in_interruptions);
    case aim::overload:
      break;
  }
  return {about + fmt::format("recovery after {:.1f} s, at most {} times the {:.1f} s without retries",
                              ours.recovery, most_recovery, none.recovery),
          ours.has_recovered && ours.recovery <= most_recovery * none.recovery};
}

/// Whether the peer is better in the figures that the goals are about.
bool is_better(const trace& here, const retry_figures& peer, const retry_figures& ours) {
  switch (here.judged_by) {
    case aim::outage:
    case aim::heavy_errors:
      return attempts(peer) < attempts(ours);
    case aim::light_errors:
    case aim::interruptions:
      return answered(peer) > answered(ours);
    case aim::overload:
      break;
  }
  return peer.recovery < ours.recovery && answered(peer) > answered(ours);
}

}  // namespace

std::vector<goal> judge(const measured& found) {
  const auto& none = figures_of(found, retry_entrant::none);
  const auto& ours = figures_of(found, retry_entrant::ours);
  const auto& with_breaker = figures_of(found, retry_entrant::ours_with_breaker);
  std::vector<goal> goals;
  for (std::size_t i = 0; i < found.traces.size(); ++i) {
    const auto& here = found.traces[i];
    goals.push_back(goal_of(found.title, here, ours[i], none[i]));
    if (here.judged_by != aim::overload) continue;
    goals.push_back({fmt::format("{}, {}, with the breaker: {:.1f} % answered, at least {}", found.title,
                                 here.name, answered(with_breaker[i]), least_answered_with_breaker),
                     answered(with_breaker[i]) >= least_answered_with_breaker});
  }
  std::string better;
  for (std::size_t k = 0; k < found.policies.size(); ++k) {
    const auto kind = found.policies[k].kind;
    if (kind != retry_entrant::none && kind != retry_entrant::peer) continue;
    bool in_all = true;
    for (std::size_t i = 0; i < found.traces.size(); ++i) {
      in_all = in_all && is_better(found.traces[i], found.figures[k][i], ours[i]);
    }
    if (in_all) better += fmt::format(" {};", found.policies[k].name);
  }
  goals.push_back(
      {fmt::format("{}: better in all columns:{}", found.title, better.empty() ? " none" : better),
       better.empty()});
  return goals;
}

}  // namespace studies::guards
