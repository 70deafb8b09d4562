// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/feature/feature_matrix.hpp"
#include "config/dependency.hpp"
#include "service/level.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace staging {

/// What the server can offer; the order is the order of `/api/features`.
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

inline constexpr std::size_t feature_count = 16;

[[nodiscard]] constexpr std::string_view to_string(feature value) noexcept {
  constexpr std::array<std::string_view, feature_count> names{
      "read_only_access",  "session_storage", "inventory_management", "backup_operations",
      "basic_analytics",   "complex_queries", "write_operations",     "rate_limiting",
      "redis_cache",       "file_storage",    "ai_recommendations",   "advanced_analytics",
      "real_time_updates", "s3_uploads",      "image_processing",     "full_ai_pipeline",
  };
  return names[static_cast<std::size_t>(value)];
}

using feature_rule = brownout::feature_rule<feature, level>;

/// Which level still allows a feature, and which dependencies it can't do without. Features that fall back to
/// memory or to the local disk need none.
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
static_assert(features.size == feature_count);
static_assert(features.allowed_at(level::optimal) == 16 && features.allowed_at(level::degraded) == 12 &&
              features.allowed_at(level::limited) == 8 && features.allowed_at(level::minimal) == 4 &&
              features.allowed_at(level::emergency) == 0);

}  // namespace staging
