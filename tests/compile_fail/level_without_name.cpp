// SPDX-License-Identifier: BSL-1.0
// Levels are shown to people: each needs a name.
// must say: degradation_level
// must say: to_string
#include "brownout/level/level_ladder.hpp"

#include <string_view>

enum class level { normal, emergency };
#ifndef MISTAKE
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "emergency";
}
#endif

using ladder = brownout::level_ladder<level>;
