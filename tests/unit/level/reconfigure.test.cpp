// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/controller_bench.hpp"

#include <stdexcept>
#include <string>

using namespace level_test;

namespace {

std::optional<transition> follow(bench& one, policy wanted, std::optional<double> seen) {
  return one.controller.reconfigure(std::move(wanted), seen, one.now);
}

policy immediate() {
  return {.ladder = ladder, .hysteresis = 2, .dwell = 10s, .confirm_for = 0s};
}

}  // namespace

TEST_CASE("a new policy keeps the level and decides at the next score", "[level][S8][S8a]") {
  bench one;
  one.score(75);
  REQUIRE(one.shown() == level::degraded);
  auto stricter = immediate();
  stricter.ladder = {{level::optimal, 95},
                     {level::degraded, 80},
                     {level::limited, 60},
                     {level::minimal, 40},
                     {level::emergency, 0}};
  CHECK_FALSE(follow(one, stricter, 75));
  CHECK(one.shown() == level::degraded);
  CHECK(to(one.score(75)) == level::limited);
}

TEST_CASE("a dwell that has begun ends by the new policy", "[level][S8][S8b]") {
  bench one;
  one.score(75);
  one.score(95);
  auto shorter = immediate();
  shorter.dwell = 3s;
  follow(one, shorter, 95);
  CHECK_FALSE(one.score_after(3s - 1ns, 95));
  CHECK(to(one.score_after(1ns, 95)) == level::optimal);
}

TEST_CASE("relapses and an override are kept under a new policy", "[level][S8][S8a]") {
  bench one;
  one.score(75);
  one.score(95);
  one.score_after(10s, 95);
  one.score_after(1s, 75);
  REQUIRE(one.controller.relapses() == 1);
  one.set({level::minimal, "drill", "ann", one.now + 1h}, 75);
  CHECK_FALSE(follow(one, immediate(), 75));
  CHECK(one.controller.relapses() == 1);
  CHECK(one.controller.current_dwell() == 20s);
  CHECK(one.shown() == level::minimal);
}

TEST_CASE("a dry run that begins or ends is a change of the level in force", "[level][S8][S8d]") {
  bench one;
  one.score(50);
  REQUIRE(one.shown() == level::minimal);
  auto watched = immediate();
  watched.dry_run = true;
  const auto begun = follow(one, watched, 50);
  REQUIRE(begun);
  CHECK(begun->from == level::minimal);
  CHECK(begun->to == level::optimal);
  CHECK(begun->cause == level_cause::reconfigured);
  const auto ended = follow(one, immediate(), 50);
  REQUIRE(ended);
  CHECK(ended->to == level::minimal);
}

TEST_CASE("a policy with another number of levels is refused and changes nothing", "[level][S8][S8f]") {
  bench one;
  one.score(75);
  auto shorter = immediate();
  shorter.ladder = {{level::optimal, 90}, {level::degraded, 70}, {level::limited, 0}};
  shorter.panic_floor = level::optimal;
  std::string said;
  try {
    follow(one, shorter, 75);
  } catch (const std::invalid_argument& error) {
    said = error.what();
  }
  CHECK(said == "level_ladder.size of a policy that replaces another = 3: allowed is 5 to 5");
  CHECK(one.controller.policy().ladder.size() == 5);
  CHECK(one.shown() == level::degraded);
}
