// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/client/study.hpp"
#include "studies/fleet/figures.hpp"

#include <functional>
#include <vector>

namespace studies::fleet {

/// Shows every fleet the same calls, in every trace, with every seed. `progress` is told of each trace that
/// is done.
[[nodiscard]] figures run_study(const std::vector<trace>& traces, const std::vector<entrant>& entrants,
                                seed_range seeds, const std::function<void(const trace&)>& progress);

}  // namespace studies::fleet
