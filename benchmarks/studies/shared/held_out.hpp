// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/trace.hpp"

#include <vector>

namespace studies {

/// What services meet. Nobody may look at these traces while tuning: they were written before the default
/// policy was tuned, and run when that was over. If you have tuned on them, write others.
[[nodiscard]] std::vector<trace> held_out_traces();

}  // namespace studies
