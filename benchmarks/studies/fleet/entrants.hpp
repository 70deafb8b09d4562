// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/client/entrants.hpp"
#include "studies/fleet/history.hpp"
#include "studies/fleet/trace.hpp"
#include "studies/shared/traffic.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace studies::fleet {

/// A policy that every client of the fleet has.
struct entrant {
  std::string name{};
  std::string what_it_does{};
  entrant_kind kind = entrant_kind::peer;
  std::function<tally(const trace&, const truth&, const traffic&, std::uint64_t seed)> run{};
};

/// In the order of the table.
[[nodiscard]] const std::vector<entrant>& all_entrants();

}  // namespace studies::fleet
