// SPDX-License-Identifier: BSL-1.0
// A ladder has every level of the enum up to its last: a skipped one could never be reached.
// must say: constexpr
// must say: field\(i, "level"\)
#include "brownout/level/level_ladder.hpp"

#include <string_view>

enum class level { normal, limited, emergency };
constexpr std::string_view to_string(level) {
  return "level";
}

constexpr brownout::level_ladder<level> ladder{{level::normal, 90},
#ifndef MISTAKE
                                               {level::limited, 60},
#endif
                                               {level::emergency, 0}};
static_assert(ladder.worst() == level::emergency);
