// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "decisions/fleet/figures.hpp"
#include "decisions/goal.hpp"

#include <vector>

namespace decisions::fleet {

/// What our default has to be. Traces that did not take part are not judged.
[[nodiscard]] std::vector<goal> judge(const figures& found);

}  // namespace decisions::fleet
