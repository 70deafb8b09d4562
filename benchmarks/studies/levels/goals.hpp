// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/figures.hpp"
#include "studies/shared/goal.hpp"

#include <cstddef>
#include <vector>

namespace studies::levels {

/// A trace, its best peer by `cost`, and ours beside it.
struct comparison {
  std::size_t trace = 0;
  std::size_t best_peer = 0;
  double best = 0;
  estimate ours{};

  /// Worse by more than a fifth, and by more than three seconds in ten minutes.
  [[nodiscard]] bool falls_behind() const { return ours.mean > 1.2 * best && ours.mean - best > 3; }
};

/// Nothing when ours or the peers did not take part.
[[nodiscard]] std::vector<comparison> compare_by_trace(const figures& found);

/// What our default has to be. Traces that did not take part are not judged.
[[nodiscard]] std::vector<goal> judge(const figures& found);

}  // namespace studies::levels
