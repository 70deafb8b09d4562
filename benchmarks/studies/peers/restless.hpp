// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/policy.hpp"

#include <cstdint>
#include <optional>

namespace studies {

/// A planted one that misses every goal: it lets every tenth call through, whatever becomes of them.
class restless {
 public:
  struct permit {};

  std::optional<permit> admit(nanoseconds /*now*/) {
    return ++calls_ % 10 == 0 ? std::optional{permit{}} : std::nullopt;
  }
  void report(permit /*permit*/, nanoseconds /*now*/, bool /*failed*/) {}

 private:
  std::uint64_t calls_ = 0;
};
static_assert(decision_policy<restless>);

}  // namespace studies
