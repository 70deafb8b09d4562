// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/health_report.hpp"
#include "brownout/recovery/recovery_estimate.hpp"
#include "brownout/recovery/recovery_predictor.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What one dependency takes from the level, and its present outage.
struct level_burden {
  double lost = 0;       // points of the system's score that its own evidence costs
  double capped = 0;     // points below 100 that it caps the score at, independent of its weight
  bool carries = false;  // the score of other dependencies is lowered because of it
  double carried = 0;    // points that they lose by that
  std::optional<ongoing_outage> outage{};
};

/// What each dependency takes from the level. The outages are filled in by the caller.
[[nodiscard]] inline std::vector<level_burden> burdens_of(const health_report& health,
                                                          const std::vector<component_role>& roles) {
  std::vector<level_burden> burdens(roles.size());
  for (std::size_t i = 0; i < burdens.size(); ++i) {
    const auto& part = health.components[i];
    burdens[i].lost = part.lost;
    if (roles[i].criticality == criticality::required)
      burdens[i].capped = part.own_score ? 100 - *part.own_score : (part.lost > 0 ? 100 : 0);
    if (part.trust >= 1) continue;
    // Points that it loses because of dependencies that it needs come back when these recover.
    const double own = part.lost * (100 - *part.own_score) / (100 - *part.score);
    burdens[i].lost = own;
    for (const auto other : roles[i].depends_on) {
      burdens[other].carries = true;
      burdens[other].carried += part.lost - own;
      if (roles[i].criticality == criticality::required)
        burdens[other].capped = (std::max)(burdens[other].capped, 100 - *part.score);
    }
  }
  return burdens;
}

/// Whether the system would score `100 - slack` if all outages were over: what dependencies without an outage
/// take from the level, by slow calls or failures, is no more than `slack`.
[[nodiscard]] inline bool is_by_outages(const std::vector<level_burden>& burdens, double slack) {
  double left = slack;
  for (const auto& one : burdens) {
    if (one.outage) continue;
    left -= one.lost + one.carried;
    if (left < 0 || one.capped > slack) return false;
  }
  return true;
}

/// When the system scores `100 - slack` again, and `climb` later.
///
/// A dependency that loses points without an outage, by slow calls or failures, may do so for ever. If these
/// losses alone exceed `slack`, the answer is unknown. Otherwise the outages with the smallest losses need
/// not end, as far as the rest of `slack` allows. Allocates.
[[nodiscard]] inline recovery_estimate level_recovery(std::vector<level_burden> burdens, double slack,
                                                      duration climb) {
  const double all_of_it = slack;
  const bool predictable = is_by_outages(burdens, slack);
  for (const auto& one : burdens) {
    if (!one.outage) slack -= one.lost + one.carried;
  }
  // Sorts by loss. They are few, and every file that includes this header would compile std::sort.
  for (std::size_t i = 1; i < burdens.size(); ++i) {
    for (auto at = i; at > 0 && burdens[at].lost < burdens[at - 1].lost; --at)
      std::swap(burdens[at], burdens[at - 1]);
  }
  std::vector<ongoing_outage> awaited;
  for (const auto& one : burdens) {
    if (!one.outage) continue;
    slack -= one.lost;
    if (slack < 0 || one.carries || one.capped > all_of_it) awaited.push_back(*one.outage);
  }
  auto all = recovery_of_all({awaited.data(), awaited.size()}).later_by(climb);
  if (!predictable) all.p50 = all.p90 = std::nullopt;
  return all;
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
