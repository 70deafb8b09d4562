// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/client/entrants.hpp"
#include "studies/client/figures.hpp"
#include "studies/shared/trace.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace studies {

/// Seeds are of two kinds: what was tuned on the ones is reported on the others.
struct seed_range {
  static constexpr std::uint64_t first_for_tuning = 1;
  static constexpr std::uint64_t first_for_reporting = 1'000'001;

  std::uint64_t first = first_for_reporting;
  std::uint64_t count = 20;
};

/// Lets every entrant decide about the same calls, in every trace, with every seed. `progress` is told of
/// each trace that is done.
[[nodiscard]] figures run_study(const std::vector<trace>& traces, const std::vector<entrant>& entrants,
                                seed_range seeds, const std::function<void(const trace&)>& progress);

}  // namespace studies
