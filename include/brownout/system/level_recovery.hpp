// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/degradation/recovery_estimate.hpp"
#include "brownout/degradation/recovery_predictor.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace brownout::detail {

/// What one dependency does to the level, and the outage that it has, if it has one.
struct level_burden {
  double lost = 0;        // points of the system's score
  bool required = false;  // it caps the score, whatever it weighs
  std::optional<ongoing_outage> outage{};
};

/// When enough of this is over for the system to score `100 - slack` again, and `climb` later.
///
/// Who loses points without an outage, by slow calls or failures, may go on doing so for ever: when that
/// alone is more than `slack`, nobody knows. Of the outages, the smallest may go on as long as all that is
/// left of `slack` allows it. Allocates.
[[nodiscard]] inline recovery_estimate level_recovery(std::vector<level_burden> burdens, double slack,
                                                      duration climb) {
  std::vector<ongoing_outage> awaited;
  bool predictable = true;
  for (const auto& one : burdens) {
    if (one.outage) continue;
    slack -= one.lost;
    predictable = predictable && !(one.required && one.lost > 0);
  }
  predictable = predictable && slack >= 0;
  std::sort(burdens.begin(), burdens.end(),
            [](const level_burden& one, const level_burden& other) { return one.lost < other.lost; });
  for (const auto& one : burdens) {
    if (!one.outage) continue;
    slack -= one.lost;
    if (slack < 0 || one.required) awaited.push_back(*one.outage);
  }
  auto all = recovery_of_all(awaited).later_by(climb);
  if (!predictable) all.p50 = all.p90 = std::nullopt;
  return all;
}

}  // namespace brownout::detail
