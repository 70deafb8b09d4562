// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace staging {

/// What the server depends on. The order is the order of every list the server prints.
enum class dependency : std::uint8_t { openai, database, redis, s3 };

inline constexpr std::array all_dependencies{dependency::openai, dependency::database, dependency::redis,
                                             dependency::s3};
inline constexpr std::size_t dependency_count = all_dependencies.size();

/// Position in an array that holds one element a dependency.
[[nodiscard]] constexpr std::size_t index(dependency value) noexcept {
  return static_cast<std::size_t>(value);
}

[[nodiscard]] constexpr std::string_view to_string(dependency value) noexcept {
  switch (value) {
    case dependency::openai:
      return "openai";
    case dependency::database:
      return "database";
    case dependency::redis:
      return "redis";
    case dependency::s3:
      return "s3";
  }
  return "invalid";
}

/// The dependency of that name, as it stands in `SERVICE_WEIGHTS` and in request paths; case matters.
[[nodiscard]] constexpr std::optional<dependency> dependency_named(std::string_view name) noexcept {
  for (const auto candidate : all_dependencies) {
    if (to_string(candidate) == name) return candidate;
  }
  return std::nullopt;
}

}  // namespace staging
