// SPDX-License-Identifier: BSL-1.0
// Every feature has a rule: a constexpr matrix without one does not compile.
// must say: constexpr
// must say: feature_rule.feature
#include "brownout/feature/feature_matrix.hpp"

#include <string_view>

enum class level { normal, emergency };
constexpr std::string_view to_string(level) {
  return "level";
}
enum class feature { search, upload, report };

constexpr auto matrix = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::search, .last = level::emergency},
#ifndef MISTAKE
    {.feature = feature::upload, .last = level::normal},
#endif
    {.feature = feature::report, .last = level::normal},
});
static_assert(matrix.allowed_at(level::emergency) == 1);
