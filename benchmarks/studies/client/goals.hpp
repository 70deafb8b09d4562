// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/client/figures.hpp"
#include "studies/shared/goal.hpp"

#include <cstddef>
#include <vector>

namespace studies {

/// A trace, its best peer, and ours beside it.
struct comparison {
  std::size_t trace = 0;
  std::size_t best_peer = 0;
  std::size_t ours = 0;
  double best_wrong = 0;  ///< wrong decisions in 1000 calls
  double our_wrong = 0;

  /// Worse by more than a fifth. A difference of one decision in 2000 is none: many peers make no mistake at
  /// all where nothing much happens.
  [[nodiscard]] bool falls_behind() const {
    return our_wrong > 1.2 * best_wrong && our_wrong - best_wrong > 0.5;
  }
};

/// Nothing when ours or the peers did not take part.
[[nodiscard]] std::vector<comparison> compare_by_trace(const figures& found);

/// Peers and ours, the best first.
[[nodiscard]] std::vector<std::size_t> ranking(const figures& found, trace_group group, weights by);

[[nodiscard]] std::vector<goal> judge(const figures& found);

}  // namespace studies
