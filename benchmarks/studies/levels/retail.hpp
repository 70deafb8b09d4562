// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/level/level_ladder.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace studies::levels {

/// The system that is studied: a shop with four dependencies and sixteen features, as in `examples/staging`.
enum class dependency : std::uint8_t { openai, database, redis, s3 };
inline constexpr std::size_t dependency_count = 4;
inline constexpr std::array<dependency, dependency_count> all_dependencies{
    dependency::openai, dependency::database, dependency::redis, dependency::s3};
inline constexpr std::array<double, dependency_count> weight{0.50, 0.30, 0.15, 0.05};

constexpr std::size_t index(dependency one) {
  return static_cast<std::size_t>(one);
}

constexpr std::string_view to_string(dependency one) {
  constexpr std::array<std::string_view, dependency_count> names{"openai", "database", "redis", "s3"};
  return names[index(one)];
}

enum class level : std::uint8_t { optimal, degraded, limited, minimal, emergency };

constexpr std::string_view to_string(level one) {
  constexpr std::array<std::string_view, 5> names{"optimal", "degraded", "limited", "minimal", "emergency"};
  return names[static_cast<std::size_t>(one)];
}

inline constexpr brownout::level_ladder<level> ladder{{level::optimal, 90},
                                                      {level::degraded, 70},
                                                      {level::limited, 60},
                                                      {level::minimal, 40},
                                                      {level::emergency, 0}};

enum class feature : std::uint8_t {
  read_only_access,
  session_storage,
  inventory_management,
  backup_operations,
  basic_analytics,
  complex_queries,
  write_operations,
  rate_limiting,
  redis_cache,
  file_storage,
  ai_recommendations,
  advanced_analytics,
  real_time_updates,
  s3_uploads,
  image_processing,
  full_ai_pipeline,
};

inline constexpr auto features = [] {
  using brownout::needs;
  using enum feature;
  using enum dependency;
  return brownout::make_feature_matrix<feature, level>({
      {.feature = read_only_access, .last = level::minimal},
      {.feature = session_storage, .last = level::minimal},
      {.feature = inventory_management, .last = level::minimal, .needs = needs(database)},
      {.feature = backup_operations, .last = level::minimal, .needs = needs(database)},
      {.feature = basic_analytics, .last = level::limited, .needs = needs(database)},
      {.feature = complex_queries, .last = level::limited, .needs = needs(database)},
      {.feature = write_operations, .last = level::limited, .needs = needs(database)},
      {.feature = rate_limiting, .last = level::limited},
      {.feature = redis_cache, .last = level::degraded, .needs = needs(redis)},
      {.feature = file_storage, .last = level::degraded},
      {.feature = ai_recommendations, .last = level::degraded, .needs = needs(openai)},
      {.feature = advanced_analytics, .last = level::degraded, .needs = needs(database)},
      {.feature = real_time_updates, .last = level::optimal, .needs = needs(redis)},
      {.feature = s3_uploads, .last = level::optimal, .needs = needs(s3)},
      {.feature = image_processing, .last = level::optimal, .needs = needs(s3)},
      {.feature = full_ai_pipeline, .last = level::optimal, .needs = needs(openai, s3)},
  });
}();
inline constexpr std::size_t feature_count = features.size;

/// One bit a feature.
using feature_set = std::uint16_t;
static_assert(feature_count <= 16);

/// What is offered at `at` while the dependencies in `refusing` refuse calls.
constexpr feature_set offered(level at, brownout::dependency_set refusing) {
  feature_set set = 0;
  for (std::size_t i = 0; i < feature_count; ++i) {
    const auto mode = features.mode(static_cast<feature>(i), at, refusing);
    if (mode != brownout::feature_mode::off) set = static_cast<feature_set>(set | 1U << i);
  }
  return set;
}
static_assert(offered(level::optimal, {}) == 0xffff && offered(level::emergency, {}) == 0);

}  // namespace studies::levels
