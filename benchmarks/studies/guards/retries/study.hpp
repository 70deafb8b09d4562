// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/part.hpp"

namespace studies::guards {

/// Retries and their budgets. Prints its tables.
[[nodiscard]] std::vector<goal> study_retries(const part_request& asked);

}  // namespace studies::guards
