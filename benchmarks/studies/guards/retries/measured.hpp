// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/retries/entrants.hpp"
#include "studies/guards/retries/trace.hpp"
#include "studies/guards/retries/world.hpp"

#include <string>
#include <vector>

namespace studies::guards {

/// What was measured of one fleet.
struct measured {
  std::string title;
  std::vector<trace> traces;
  std::vector<retry_policy> policies;
  std::vector<std::vector<retry_figures>> figures;  ///< by policy and trace
};

}  // namespace studies::guards
