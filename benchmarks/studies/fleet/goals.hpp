// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/fleet/figures.hpp"
#include "studies/shared/goal.hpp"

#include <vector>

namespace studies::fleet {

/// What our default has to be. Traces that did not take part are not judged.
[[nodiscard]] std::vector<goal> judge(const figures& found);

}  // namespace studies::fleet
