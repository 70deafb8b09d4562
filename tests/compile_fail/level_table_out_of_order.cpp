// SPDX-License-Identifier: BSL-1.0
// A constexpr table of levels has a row for each, in order.
// must say: constexpr
// must say: level_table\[
#include "brownout/level/level_table.hpp"

#include <string_view>

enum class level { good, bad };

constexpr std::string_view to_string(level value) {
  return value == level::good ? "good" : "bad";
}

#ifdef MISTAKE
constexpr brownout::level_table<level, int> pool_size{{level::bad, 5}, {level::good, 50}};
#else
constexpr brownout::level_table<level, int> pool_size{{level::good, 50}, {level::bad, 5}};
#endif

static_assert(pool_size[level::good] == 50);
