// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/retail.hpp"
#include "studies/levels/world.hpp"
#include "studies/shared/fate.hpp"
#include "studies/shared/traffic.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace studies::levels {

/// What a call or a probe comes to.
struct answer {
  bool fails = false;
  nanoseconds took{};
};

/// Somebody wants to use a feature. Each dependency would answer so; only those it needs are asked.
struct wanted_request {
  nanoseconds at{};
  feature what{};
  std::array<answer, dependency_count> answers{};
};

/// All requests of one run, in order; every policy is shown the same ones.
using demand = std::vector<wanted_request>;

/// Requests come independently of each other and of what is offered, for every feature that needs a
/// dependency alike.
[[nodiscard]] demand draw_demand(const world& what_happens, double requests_per_second, std::uint64_t seed);

/// What probes find.
class probe_fates {
 public:
  probe_fates(const world& what_happens, std::uint64_t seed);
  [[nodiscard]] answer next(dependency which, nanoseconds now);

 private:
  std::vector<fate> fates_;
  std::vector<progress> progress_;
};

}  // namespace studies::levels
