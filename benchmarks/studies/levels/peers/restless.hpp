// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace studies::levels {

/// A planted one that misses every goal: now it offers everything, now nothing, and asks nobody.
class restless {
 public:
  struct permit {};

  nanoseconds step(nanoseconds now, std::vector<dependency>& /*to_probe*/) {
    offered_.at = offered_.at == ladder.best() ? ladder.worst() : ladder.best();
    return now + std::chrono::seconds{1};
  }
  void answer(dependency /*which*/, nanoseconds /*now*/, bool /*failed*/) {}
  std::optional<permit> admit(dependency /*which*/, nanoseconds /*now*/) { return permit{}; }
  void report(permit /*ended*/, dependency /*which*/, nanoseconds /*now*/, bool /*failed*/) {}
  [[nodiscard]] offer offered() const { return offered_; }

 private:
  offer offered_{};
};
static_assert(governor<restless>);

}  // namespace studies::levels
