// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/retries/measured.hpp"
#include "studies/shared/goal.hpp"

#include <vector>

namespace studies::guards {

/// What the shipped retry has to be, and whether it is.
[[nodiscard]] std::vector<goal> judge(const measured& found);

}  // namespace studies::guards
