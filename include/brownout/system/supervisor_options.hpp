// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/invalid_option.hpp"
#include "brownout/degradation/dependency_set.hpp"
#include "brownout/degradation/level_policy.hpp"
#include "brownout/health/component_score.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/system/dependency.hpp"

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

namespace brownout {

/// A system as its owner describes it. Validated when the supervisor is built.
template <degradation_level Level>
struct supervisor_options {
  std::vector<dependency_options> dependencies;  ///< 1 to 32; a dependency's number is its place here
  level_policy<Level> levels;
  latency_budget latency{};

  /// How often a dependency is probed while its circuit is closed: 1 ms to 24 h. Default 10 s.
  duration probe_interval = std::chrono::seconds{10};

  /// How soon the level follows what real calls report between probes: 1 ms to 1 min. Default 100 ms.
  duration refresh = std::chrono::milliseconds{100};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    detail::require_within<std::size_t>("supervisor_options.dependencies.size()", dependencies.size(), 1,
                                        dependency_set::most);
    std::unordered_set<std::string> names;
    for (const auto& one : dependencies) {
      if (one.name.empty() || !names.insert(one.name).second) {
        detail::invalid_option("dependency_options.name", "'" + one.name + "'",
                               "a name that no other dependency has");
      }
      detail::require_within("dependency_options.timeout of " + one.name, one.timeout, 1ms, 1h);
      detail::require_within("dependency_options.weight of " + one.name, one.weight, 0.0,
                             scorer::most_weight);
      try {
        one.trips.validate();
        one.breaker.validate();
      } catch (const std::invalid_argument& error) {  // they do not know whose they are
        throw std::invalid_argument("dependency " + one.name + ": " + error.what());
      }
    }
    detail::require_within("supervisor_options.probe_interval", probe_interval, 1ms, 24h);
    detail::require_within("supervisor_options.refresh", refresh, 1ms, 1min);
  }
};

}  // namespace brownout
