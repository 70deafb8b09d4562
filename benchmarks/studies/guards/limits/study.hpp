// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/part.hpp"

namespace studies::guards {

/// Adaptive limits and priorities. Prints its tables.
[[nodiscard]] std::vector<goal> study_limits(const part_request& asked);

}  // namespace studies::guards
