// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/level/level_table.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace staging {

/// How much the server offers, from everything to a status page.
enum class level : std::uint8_t { optimal, degraded, limited, minimal, emergency };

inline constexpr std::array all_levels{level::optimal, level::degraded, level::limited, level::minimal,
                                       level::emergency};

[[nodiscard]] constexpr std::string_view to_string(level value) noexcept {
  switch (value) {
    case level::optimal:
      return "OPTIMAL";
    case level::degraded:
      return "DEGRADED";
    case level::limited:
      return "LIMITED";
    case level::minimal:
      return "MINIMAL";
    case level::emergency:
      return "EMERGENCY";
  }
  return "invalid";
}

[[nodiscard]] constexpr std::optional<level> level_named(std::string_view name) noexcept {
  for (const auto candidate : all_levels) {
    if (to_string(candidate) == name) return candidate;
  }
  return std::nullopt;
}

/// How sparing the server is at a level.
struct level_settings {
  double pool_size = 1;              ///< share of each connection pool that may be used
  std::chrono::seconds cache_ttl{};  ///< how long cached answers last
  double batch_size = 1;             ///< share of the rows that one answer carries
  int weight = 100;                  ///< percent of the requests that a load balancer should send here
};

inline constexpr brownout::level_table<level, level_settings> settings_at{
    {level::optimal, {1.0, std::chrono::seconds{3600}, 1.0, 100}},
    {level::degraded, {0.9, std::chrono::seconds{1800}, 0.8, 75}},
    {level::limited, {0.75, std::chrono::seconds{900}, 0.5, 50}},
    {level::minimal, {0.5, std::chrono::seconds{300}, 0.25, 25}},
    {level::emergency, {0.2, std::chrono::seconds{60}, 0.1, 0}},
};
static_assert(settings_at.size() == all_levels.size());

}  // namespace staging
