// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/retail.hpp"
#include "studies/levels/world.hpp"

#include "brownout/feature/dependency_set.hpp"

#include <vector>

namespace studies::levels {

/// How things are from `begins` on.
struct true_state {
  nanoseconds begins{};
  level right{};                       ///< the level of the true score
  brownout::dependency_set failing{};  ///< dependencies that fail more than half of the calls
  feature_set working = 0;             ///< features of which no needed dependency is among them
  feature_set right_offer = 0;         ///< of these, the ones that the right level offers
};

/// The score that infinitely many calls made just then would give a dependency: share of successes less the
/// latency penalty, by the library's own formula.
[[nodiscard]] double true_score(const phase& what_happens);

/// All states of a run, in order, the first at 0.
[[nodiscard]] std::vector<true_state> true_states(const world& what_happens);

}  // namespace studies::levels
