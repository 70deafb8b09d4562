// SPDX-License-Identifier: BSL-1.0
// A supervisor and its dependencies must use one clock: times of two clocks cannot be compared.
// must say: a supervisor and its dependencies use one clock
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/system/supervisor.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <string_view>

enum class level { normal, degraded };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "degraded";
}
enum class feature { browse };
constexpr auto features =
    brownout::make_feature_matrix<feature, level>({{.feature = feature::browse, .last = level::degraded}});

#ifdef MISTAKE
using database_clock = brownout::monotonic_clock;
#else
using database_clock = brownout::manual_clock;
#endif

void watch() {
  brownout::dependency<brownout::standard_detector, database_clock> database{{.name = "database"}};
  const brownout::supervisor shop{features,
                                  {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 0}}}},
                                  {{0, database}},
                                  brownout::manual_clock{}};
}
