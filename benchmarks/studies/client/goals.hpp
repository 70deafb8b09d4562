// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/client/figures.hpp"
#include "studies/shared/goal.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace studies {

/// A trace, its best peer, and ours beside it.
struct comparison {
  std::string_view trace{};
  std::string_view best_peer{};
  double best = 0;  ///< wrong decisions in 1000 calls
  double ours = 0;

  /// Worse by more than a fifth. A difference of one decision in 2000 is none: many peers make no mistake at
  /// all where nothing much happens.
  [[nodiscard]] bool falls_behind() const { return ours > 1.2 * best && ours - best > 0.5; }
};

/// Nothing when ours or the peers did not take part.
[[nodiscard]] std::vector<comparison> compare_by_trace(const figures& found);

/// Entrants but variants, the best first.
[[nodiscard]] std::vector<std::size_t> ranking(const figures& found, trace_group group, weights by);

[[nodiscard]] std::vector<goal> judge(const figures& found);

}  // namespace studies
