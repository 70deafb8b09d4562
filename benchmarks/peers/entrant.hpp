// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "harness/scenario.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace benchmarks::peers {

/// A circuit breaker to be measured.
struct entrant {
  std::string_view name;
  std::string_view opens_at;   ///< the rule that it is configured with
  batch succeed;               ///< asks a closed breaker, makes a call that does nothing, reports a success
  batch be_refused = nullptr;  ///< asks an open breaker; null: it has no such question
  void (*open)() = nullptr;    ///< opens the breaker of `be_refused`; called once, before anything is run
};

/// As a namespace-scope object it adds a row to the table.
struct registered {
  explicit registered(const entrant& one) { all().push_back(one); }

  static std::vector<entrant>& all() {
    static std::vector<entrant> entrants;
    return entrants;
  }
};

/// For an answer that must not come, so that its branch is not optimised away.
[[noreturn]] void fail(std::string_view what);

}  // namespace benchmarks::peers
