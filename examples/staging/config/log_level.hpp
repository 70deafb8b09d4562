// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace staging {

/// The least severe line that is still written.
enum class log_level : std::uint8_t { debug, info, warning, error };

inline constexpr std::array all_log_levels{log_level::debug, log_level::info, log_level::warning,
                                           log_level::error};

[[nodiscard]] constexpr std::string_view to_string(log_level value) noexcept {
  switch (value) {
    case log_level::debug:
      return "debug";
    case log_level::info:
      return "info";
    case log_level::warning:
      return "warning";
    case log_level::error:
      return "error";
  }
  return "invalid";
}

}  // namespace staging
