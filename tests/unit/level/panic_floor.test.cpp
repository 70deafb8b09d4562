// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/controller_bench.hpp"

#include <optional>
#include <stdexcept>

using namespace level_test;

namespace {

constexpr std::optional<double> unknown{};

policy with_floor(std::optional<level> floor) {
  return {.ladder = ladder,
          .hysteresis = 2,
          .dwell = 10s,
          .confirm_for = 0s,
          .dwell_limit = 8,
          .relapse_within = 6,
          .panic_floor = floor};
}

}  // namespace

TEST_CASE("while the score is unknown the level climbs a step each dwell, up to the floor",
          "[level][H2][H2h]") {
  bench bench{with_floor(level::degraded)};
  static_cast<void>(bench.score(0));
  CHECK_FALSE(bench.score_after(1h, unknown));  // unknown from now on
  for (const auto next : {level::minimal, level::limited, level::degraded}) {
    CHECK_FALSE(bench.score_after(10s - 1ns, unknown));
    const auto change = bench.score_after(1ns, unknown);
    REQUIRE(change);
    CHECK(change->to == next);
    CHECK(change->cause == level_cause::evidence_lost);
    CHECK_FALSE(change->threshold);
    CHECK_FALSE(change->score);
    CHECK(change->held == 10s);
  }
  CHECK_FALSE(bench.score_after(24h, unknown));
  CHECK_FALSE(bench.controller.next_change());
}

TEST_CASE("by default the floor is the best level: what cannot be asked is tried", "[level][H2]") {
  bench bench;
  static_cast<void>(bench.score(0));
  static_cast<void>(bench.score(unknown));
  for (int i = 0; i < 4; ++i) static_cast<void>(bench.score_after(10s, unknown));
  CHECK(bench.shown() == level::optimal);
}

TEST_CASE("an unknown score takes nothing away from a level better than the floor", "[level][H2]") {
  bench bench{with_floor(level::minimal)};
  static_cast<void>(bench.score(100));
  for (int i = 0; i < 5; ++i) CHECK_FALSE(bench.score_after(1h, unknown));
  CHECK(bench.shown() == level::optimal);
}

TEST_CASE("a first score that is unknown starts the system at the floor", "[level][H2]") {
  bench at_floor{with_floor(level::limited)};
  const auto change = at_floor.score(unknown);
  REQUIRE(change);
  CHECK(change->to == level::limited);
  CHECK(change->cause == level_cause::first_assessment);

  bench holding{with_floor(std::nullopt)};
  CHECK_FALSE(holding.score(unknown));
  CHECK(holding.shown() == level::emergency);
  CHECK(holding.controller.assessed());
}

TEST_CASE("a dwell on evidence does not count without it, nor the other way round", "[level][H2]") {
  bench bench;
  static_cast<void>(bench.score(80));
  static_cast<void>(bench.score(95));
  CHECK_FALSE(bench.score_after(9s, unknown));
  CHECK_FALSE(bench.score_after(9s, unknown));
  CHECK_FALSE(bench.score_after(9s, 95));
  CHECK_FALSE(bench.score_after(10s - 1ns, 95));
  CHECK(to(bench.score_after(1ns, 95)) == level::optimal);
}

TEST_CASE("a blind step that fails is a relapse: what is down is tried less and less often",
          "[level][D2][H2]") {
  bench bench;
  static_cast<void>(bench.score(75));
  for (const auto dwell : {10s, 20s, 40s, 80s, 80s}) {
    CHECK(bench.controller.current_dwell() == dwell);
    static_cast<void>(bench.score(unknown));
    CHECK(to(bench.score_after(dwell, unknown)) == level::optimal);
    CHECK(to(bench.score_after(1s, 75)) == level::degraded);
  }
}

TEST_CASE("a panic floor that is not on the ladder is refused", "[level][options]") {
  CHECK_THROWS_WITH(bench{with_floor(static_cast<level>(7))},
                    "level_policy.panic_floor = 7: allowed is a level of the ladder");
}

TEST_CASE("no try is announced that what is known forbids", "[level][H3]") {
  bench bench;
  static_cast<void>(bench.controller.update(100, bench.now));
  const auto fall = bench.controller.update(unknown, bench.now, 0);
  REQUIRE(fall);
  CHECK(fall->to == level::emergency);
  CHECK_FALSE(fall->next.blind);
  CHECK_FALSE(bench.controller.update(unknown, bench.now + 1h, 0));
  CHECK_FALSE(bench.controller.next_change());

  static_cast<void>(bench.controller.update(unknown, bench.now + 1h, 100));
  CHECK(bench.controller.outlook(bench.now + 1h).blind);
}

TEST_CASE("a dwell that began at a time that was wrong begins again", "[level][S2]") {
  bench bench;
  static_cast<void>(bench.score(80));
  CHECK_FALSE(bench.controller.update(95, bench.now + 24h * 365));
  CHECK_FALSE(bench.score(95));
  CHECK(to(bench.score_after(10s, 95)) == level::optimal);
}
