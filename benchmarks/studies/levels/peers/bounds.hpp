// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/true_state.hpp"
#include "studies/levels/world.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace studies::levels {

/// Nobody decides: everything is offered always, every call is made.
class no_governor {
 public:
  struct permit {};

  nanoseconds step(nanoseconds /*now*/, std::vector<dependency>& /*to_probe*/) { return nanoseconds::max(); }
  void answer(dependency /*which*/, nanoseconds /*now*/, bool /*failed*/) {}
  std::optional<permit> admit(dependency /*which*/, nanoseconds /*now*/) { return permit{}; }
  void report(permit /*ended*/, dependency /*which*/, nanoseconds /*now*/, bool /*failed*/) {}
  [[nodiscard]] offer offered() const { return {}; }
};
static_assert(governor<no_governor>);

/// Knows the truth at once: what there is to reach. What it keeps off is what the right level sheds.
class omniscient {
 public:
  using permit = no_governor::permit;

  explicit omniscient(const world& what_happens) : states_{true_states(what_happens)} {}

  nanoseconds step(nanoseconds now, std::vector<dependency>& /*to_probe*/) {
    while (next_ < states_.size() && states_[next_].begins <= now) ++next_;
    return next_ < states_.size() ? states_[next_].begins : nanoseconds::max();
  }
  void answer(dependency /*which*/, nanoseconds /*now*/, bool /*failed*/) {}
  std::optional<permit> admit(dependency /*which*/, nanoseconds /*now*/) { return permit{}; }
  void report(permit /*ended*/, dependency /*which*/, nanoseconds /*now*/, bool /*failed*/) {}
  [[nodiscard]] offer offered() const {
    const auto& now = states_[next_ == 0 ? 0 : next_ - 1];
    return {now.right, now.failing};
  }

 private:
  std::vector<true_state> states_;
  std::size_t next_ = 0;
};
static_assert(governor<omniscient>);

}  // namespace studies::levels
