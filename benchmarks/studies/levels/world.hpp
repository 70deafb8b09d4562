// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/retail.hpp"
#include "studies/shared/trace.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace studies::levels {

/// What a call, or a probe, waits for an answer.
inline constexpr nanoseconds call_timeout = std::chrono::seconds{2};
/// How often each dependency is probed, where a policy has nothing to say about it.
inline constexpr nanoseconds probe_interval = std::chrono::seconds{10};

/// What happens to all dependencies in one run. A probability of failure does not change within a phase.
struct world {
  std::array<truth, dependency_count> dependencies{};
  std::array<bool, dependency_count> probed{true, true, true, true};
};

/// One kind of trouble. Its durations differ from seed to seed by up to 30 % either way.
struct trace {
  std::string_view name{};
  std::string_view what_happens{};
  double requests_per_second = 0;  ///< of each feature that needs a dependency
  world (*of)(std::uint64_t seed) = nullptr;
};

[[nodiscard]] const std::vector<trace>& all_traces();

}  // namespace studies::levels
