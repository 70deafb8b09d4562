// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/demand.hpp"
#include "studies/levels/tally.hpp"
#include "studies/levels/world.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace studies::levels {

enum class entrant_kind : std::uint8_t {
  bound,       ///< no policy, but what there is to reach at best
  peer,        ///< what there is besides, no levels included
  ours,        ///< what a supervisor does that is told nothing
  configured,  ///< the same with other figures that somebody uses
  variant,     ///< with something changed, to see what that is good for
  planted,     ///< one that misses every goal, to see that it can be missed
};

/// A way to set the level that takes part.
struct entrant {
  std::string name{};
  std::string what_it_does{};
  entrant_kind kind = entrant_kind::peer;
  std::function<tally(const world&, const demand&, std::uint64_t seed)> run{};
};

/// In the order of the table.
[[nodiscard]] const std::vector<entrant>& all_entrants();

}  // namespace studies::levels
