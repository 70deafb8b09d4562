// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/tally.hpp"
#include "studies/shared/traffic.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace studies {

enum class entrant_kind : std::uint8_t {
  peer,        ///< what there is besides, no breaker included
  ours,        ///< what our library does that is told nothing
  dependency,  ///< what a dependency of a supervisor does that is told nothing
  variant,     ///< ours with something changed, to see what that is good for
  planted,     ///< one that misses every goal, to see that it can be missed
};

/// A policy that takes part.
struct entrant {
  std::string name{};
  std::string what_it_does{};
  entrant_kind kind = entrant_kind::peer;
  /// Decides about all calls of a run. The seed is of the policy's own chances.
  std::function<tally(const traffic& calls, std::uint64_t seed)> run{};
};

/// In the order of the table.
[[nodiscard]] const std::vector<entrant>& all_entrants();

}  // namespace studies
