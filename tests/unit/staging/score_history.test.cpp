// SPDX-License-Identifier: BSL-1.0
#include "service/score_history.hpp"
#include "catch2.hpp"

using namespace staging;
using namespace std::chrono_literals;

namespace {

constexpr brownout::time_point began{1h};

}  // namespace

TEST_CASE("a score is noted when it has changed, and at most each 5 s", "[staging][service]") {
  score_history history;
  history.note({began, 100, level::optimal});
  history.note({began + 1min, 100, level::optimal});
  history.note({began + 2min, 95, level::optimal});
  history.note({began + 2min + 4s, 92, level::optimal});
  CHECK(history.points().size() == 2);
  history.note({began + 2min + 5s, 91, level::optimal});
  history.note({began + 3min, 91.04, level::optimal});
  REQUIRE(history.points().size() == 3);
  CHECK(history.points().back().at == began + 2min + 5s);
  CHECK(history.points().back().score == 91);
  history.note({began + 4min, std::nullopt, level::optimal});
  history.note({began + 5min, std::nullopt, level::optimal});
  CHECK(history.points().size() == 4);
}

TEST_CASE("a change of the level is noted at once", "[staging][service]") {
  score_history history;
  history.note({began, 100, level::optimal});
  history.note({began + 1ms, 70, level::degraded});
  history.note({began + 2ms, 40, level::minimal});
  CHECK(history.points().size() == 3);
}

TEST_CASE("the last half hour is kept, with the point at which it began", "[staging][service]") {
  score_history history;
  for (int minute = 0; minute <= 60; ++minute)
    history.note({began + std::chrono::minutes{minute}, static_cast<double>(minute), level::optimal});
  CHECK(history.points().front().at == began + 30min);
  history.note({began + 60min + 30s, 100, level::optimal});
  CHECK(history.points().front().at == began + 30min);
  history.note({began + 3h, 90, level::optimal});
  CHECK(history.points().size() == 2);
}

TEST_CASE("a level that flaps takes no more than its share of memory", "[staging][service]") {
  score_history history;
  for (int i = 0; i < 5000; ++i) {
    history.note({began + std::chrono::milliseconds{i}, 70, i % 2 == 0 ? level::degraded : level::limited});
  }
  CHECK(history.points().size() == score_history::most);
  CHECK(history.points().back().at == began + 4999ms);
}
