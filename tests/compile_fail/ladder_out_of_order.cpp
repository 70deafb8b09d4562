// SPDX-License-Identifier: BSL-1.0
// Thresholds fall from level to level; a constexpr ladder is checked by the compiler.
// must say: constexpr
// must say: field\(i, "from"\)
#include "brownout/level/level_ladder.hpp"

#include <string_view>

enum class level { normal, limited, emergency };
constexpr std::string_view to_string(level) {
  return "level";
}

#ifdef MISTAKE
constexpr double limited_from = 95;
#else
constexpr double limited_from = 60;
#endif

constexpr brownout::level_ladder<level> ladder{
    {level::normal, 90}, {level::limited, limited_from}, {level::emergency, 0}};
static_assert(ladder.at(70) == level::limited);
