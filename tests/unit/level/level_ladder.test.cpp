// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/levels.hpp"

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace level_test;
using brownout::level_ladder;
using brownout::rung;

namespace {

static_assert(ladder.size() == 5);
static_assert(ladder.best() == level::optimal);
static_assert(ladder.worst() == level::emergency);
static_assert(ladder.from(level::limited) == 60);
static_assert(ladder.better(level::emergency) == level::minimal);
static_assert(ladder.holds(level::emergency));
static_assert(!ladder.holds(static_cast<level>(5)));
static_assert(!ladder.holds(static_cast<level>(255)));
static_assert(ladder.rungs().size() == 5);

static_assert(ladder.at(100) == level::optimal);
static_assert(ladder.at(90) == level::optimal);
static_assert(ladder.at(89.999999) == level::degraded);
static_assert(ladder.at(70) == level::degraded);
static_assert(ladder.at(69.999999) == level::limited);
static_assert(ladder.at(60) == level::limited);
static_assert(ladder.at(59.999999) == level::minimal);
static_assert(ladder.at(40) == level::minimal);
static_assert(ladder.at(39.999999) == level::emergency);
static_assert(ladder.at(0) == level::emergency);

// One level is a ladder, and so is one whose best level starts at 100.
constexpr level_ladder<level> single{{level::optimal, 0}};
static_assert(single.best() == single.worst() && single.at(0) == level::optimal &&
              single.at(100) == level::optimal);
constexpr level_ladder<level> high{{level::optimal, 100}, {level::degraded, 0}};
static_assert(high.at(100) == level::optimal && high.at(99.9) == level::degraded);

std::string refusal(const std::vector<rung<level>>& rungs) {
  try {
    const level_ladder<level> built{std::span{rungs}};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a ladder that makes no sense is refused with what is wrong", "[level][D1][D1a]") {
  using enum level;
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refusal({{optimal, 50}, {degraded, 0}}) == "");
  CHECK(refusal({}) == "level_ladder.size = 0: allowed is 1 to 16");
  CHECK(refusal(std::vector<rung<level>>(17)) == "level_ladder.size = 17: allowed is 1 to 16");
  CHECK(refusal({{degraded, 50}, {optimal, 0}}) ==
        "level_ladder[0].level = degraded: allowed is the enumerator with value 0");
  CHECK(refusal({{optimal, 50}, {limited, 0}}) ==
        "level_ladder[1].level = limited: allowed is the enumerator with value 1");
  CHECK(refusal({{optimal, 50}, {optimal, 0}}) ==
        "level_ladder[1].level = optimal: allowed is the enumerator with value 1");
  CHECK(refusal({{optimal, 60}, {degraded, 60}, {limited, 0}}) ==
        "level_ladder[1].from = 60: allowed is 0 to 60, and below it");
  CHECK(refusal({{optimal, 60}, {degraded, 70}, {limited, 0}}) ==
        "level_ladder[1].from = 70: allowed is 0 to 60, and below it");
  CHECK(refusal({{optimal, 100.5}, {degraded, 0}}) == "level_ladder[0].from = 100.5: allowed is 0 to 100");
  CHECK(refusal({{optimal, 60}, {degraded, -1}}) ==
        "level_ladder[1].from = -1: allowed is 0 to 60, and below it");
  CHECK(refusal({{optimal, nan}, {degraded, 0}}) != "");
  CHECK(refusal({{optimal, 60}, {degraded, nan}}) != "");
  CHECK(refusal({{optimal, 60}, {degraded, 10}}) ==
        "level_ladder[1].from = 10: allowed is 0: the worst level holds whatever the score");
  CHECK(refusal({{optimal, 1}}) != "");
  CHECK(refusal({{optimal, 0}, {degraded, 0}}) != "");
}

TEST_CASE("a level may say itself which score brings it back, from its threshold to 100",
          "[level][D1][D1b]") {
  using enum level;
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(ladder.enter(optimal) == std::nullopt);
  const level_ladder<level> own{{optimal, 90, 95}, {degraded, 50}, {limited, 0, 100}};
  CHECK(own.enter(optimal) == 95);
  CHECK(own.enter(degraded) == std::nullopt);
  CHECK(own.at(92) == optimal);  // it decides on coming back, not on staying
  CHECK(refusal({{optimal, 60, 60}, {degraded, 0, 0}}) == "");
  CHECK(refusal({{optimal, 60, 100}, {degraded, 0}}) == "");
  CHECK(refusal({{optimal, 60, 59.5}, {degraded, 0}}) ==
        "level_ladder[0].enter = 59.5: allowed is 60 to 100");
  CHECK(refusal({{optimal, 60}, {degraded, 40, 100.5}, {limited, 0}}) ==
        "level_ladder[1].enter = 100.5: allowed is 40 to 100");
  CHECK(refusal({{optimal, 60, nan}, {degraded, 0}}) == "level_ladder[0].enter = nan: allowed is 60 to 100");
}

TEST_CASE("sixteen levels are a ladder", "[level][D1]") {
  std::vector<rung<level>> rungs;
  for (int i = 0; i < 16; ++i) rungs.push_back({static_cast<level>(i), 15.0 - i});
  const level_ladder<level> tall{std::span<const rung<level>>{rungs}};
  CHECK(tall.at(14.5) == static_cast<level>(1));
  CHECK(tall.worst() == static_cast<level>(15));
}

TEST_CASE("a score that is no number holds no level but the worst", "[level][D1]") {
  CHECK(ladder.at(std::numeric_limits<double>::quiet_NaN()) == level::emergency);
}
