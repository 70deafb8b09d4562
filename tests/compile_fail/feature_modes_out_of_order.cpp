// SPDX-License-Identifier: BSL-1.0
// A feature's modes shrink as levels get worse: it can't be reduced longer than it is offered at all.
// must say: constexpr
// must say: levels out of order
#include "brownout/feature/feature_matrix.hpp"

#include <string_view>

enum class level { normal, limited, emergency };
constexpr std::string_view to_string(level) {
  return "level";
}
enum class feature { search };

#ifdef MISTAKE
constexpr auto reduced_until = level::emergency;
#else
constexpr auto reduced_until = level::limited;
#endif

constexpr auto matrix = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::search,
     .last = level::limited,
     .last_full = level::normal,
     .last_reduced = reduced_until},
});
static_assert(matrix.mode(feature::search, level::limited, {}) == brownout::feature_mode::reduced);
