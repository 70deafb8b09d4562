// SPDX-License-Identifier: BSL-1.0
// A caller is named by a number or a text; nothing else has the same place on every machine.
// must say: feature_caller
// must say: constraint
#include "brownout/feature/feature_view.hpp"

#include <string_view>

enum class level { normal, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "emergency";
}
enum class feature { search };
constexpr auto matrix =
    brownout::make_feature_matrix<feature, level>({{.feature = feature::search, .last = level::normal}});

struct session {
  std::string_view name;
};

bool offered(const brownout::feature_view<decltype(matrix)>& view, const session& from) {
#ifdef MISTAKE
  return view.available(feature::search, from);
#else
  return view.available(feature::search, from.name);
#endif
}
