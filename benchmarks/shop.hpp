// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/system/claim.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/system/supervisor.hpp"
#include "brownout/system/supervisor_options.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// A system of made-up dependencies and features, as large as a scenario wants it.
namespace benchmarks::shop {

enum class level : std::uint8_t { normal, degraded, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : at == level::degraded ? "degraded" : "emergency";
}
inline constexpr brownout::level_ladder<level> ladder{
    {level::normal, 90}, {level::degraded, 50}, {level::emergency, 0}};

enum class feature : std::uint8_t { catalogue, search, reviews, recommendations };
inline constexpr auto matrix = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::catalogue, .last = level::emergency, .last_full = level::degraded},
    {.feature = feature::search, .last = level::degraded, .needs = brownout::needs(0, 1)},
    {.feature = feature::reviews, .last = level::normal, .needs = brownout::needs(0)},
    {.feature = feature::recommendations, .last = level::normal, .needs = brownout::needs(2, 3)},
});

using supervisor = brownout::supervisor<decltype(matrix)>;

inline const brownout::supervisor_options<level> options{.levels = {.ladder = ladder}};

/// So many dependencies with the default options.
inline std::vector<brownout::claim<brownout::monotonic_clock>> dependencies(std::size_t count) {
  std::vector<brownout::claim<brownout::monotonic_clock>> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.emplace_back(i, brownout::dependency_options{.name = "dependency " + std::to_string(i)});
  }
  return all;
}

/// One good call to each dependency, so that each is known and healthy.
inline void answer_all(supervisor& watched) {
  for (std::size_t i = 0; i < watched.size(); ++i) watched.described(i).call([] {});
  watched.refresh(watched.now());
}

}  // namespace benchmarks::shop
