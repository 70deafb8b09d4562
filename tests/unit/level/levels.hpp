// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/level/level_ladder.hpp"

#include <cstdint>
#include <string_view>

namespace level_test {

enum class level : std::uint8_t { optimal, degraded, limited, minimal, emergency };

constexpr std::string_view to_string(level value) {
  constexpr std::string_view names[] = {"optimal", "degraded", "limited", "minimal", "emergency"};
  return static_cast<std::size_t>(value) < 5 ? names[static_cast<std::size_t>(value)] : "invalid";
}

/// The staging system's.
inline constexpr brownout::level_ladder<level> ladder{{level::optimal, 90},
                                                      {level::degraded, 70},
                                                      {level::limited, 60},
                                                      {level::minimal, 40},
                                                      {level::emergency, 0}};

}  // namespace level_test
