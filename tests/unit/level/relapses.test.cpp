// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/controller_bench.hpp"

using namespace level_test;

namespace {

/// Two levels, so that a climb is one step: dwell 10 s, growing to 80 s; a relapse within 6 dwells.
policy two_levels() {
  return {.ladder = {{level::optimal, 90}, {level::degraded, 0}},
          .dwell = 10s,
          .confirm_for = 0s,
          .dwell_limit = 8,
          .relapse_within = 6};
}

/// Climbs by holding a good score for the dwell, and falls again after `held`.
void climb_and_fall(bench& bench, duration held) {
  static_cast<void>(bench.score(100));
  REQUIRE(bench.score_after(bench.controller.current_dwell(), 100));
  REQUIRE(bench.score_after(held, 0));
}

}  // namespace

TEST_CASE("an improvement that does not last doubles the dwell, up to eight times", "[level][D2]") {
  bench bench{two_levels()};
  static_cast<void>(bench.score(0));
  CHECK(bench.controller.current_dwell() == 10s);
  for (const auto dwell : {20s, 40s, 80s, 80s, 80s}) {
    climb_and_fall(bench, 1s);
    CHECK(bench.controller.current_dwell() == dwell);
    // The dwell that is announced is the one that is used.
    static_cast<void>(bench.score(100));
    CHECK_FALSE(bench.score_after(dwell - 1ns, 100));
    CHECK_FALSE(bench.score(0));
  }
  CHECK(bench.controller.relapses() == 3);
}

TEST_CASE("getting worse is a relapse up to six dwells after the improvement, not later", "[level][D2]") {
  bench bench{two_levels()};
  static_cast<void>(bench.score(0));
  SECTION("exactly six") {
    climb_and_fall(bench, 60s);
    CHECK(bench.controller.relapses() == 1);
  }
  SECTION("a nanosecond later") {
    climb_and_fall(bench, 60s + 1ns);
    CHECK(bench.controller.relapses() == 0);
  }
}

TEST_CASE("the first fall after a good start is no relapse", "[level][D2]") {
  bench bench{two_levels()};
  static_cast<void>(bench.score(100));
  CHECK(bench.score_after(1s, 0));
  CHECK(bench.controller.relapses() == 0);
}

TEST_CASE("each relapse is forgotten after its six dwells without another", "[level][D2]") {
  bench bench{two_levels()};
  static_cast<void>(bench.score(0));
  climb_and_fall(bench, 1s);
  climb_and_fall(bench, 1s);
  REQUIRE(bench.controller.relapses() == 2);  // dwell 40 s, forgotten after 240 s

  SECTION("one by one, to the nanosecond") {
    static_cast<void>(bench.score_after(240s - 1ns, 0));
    CHECK(bench.controller.relapses() == 2);
    static_cast<void>(bench.score_after(1ns, 0));
    CHECK(bench.controller.relapses() == 1);
    static_cast<void>(bench.score_after(120s - 1ns, 0));
    CHECK(bench.controller.relapses() == 1);
    static_cast<void>(bench.score_after(1ns, 0));
    CHECK(bench.controller.relapses() == 0);
    CHECK(bench.controller.current_dwell() == 10s);
  }
  SECTION("both in one long step") {
    static_cast<void>(bench.score_after(24h, std::nullopt));
    CHECK(bench.controller.relapses() == 0);
  }
  SECTION("another relapse starts the time again") {
    climb_and_fall(bench, 100s);
    CHECK(bench.controller.relapses() == 3);  // dwell 80 s, forgotten after 480 s
    static_cast<void>(bench.score_after(480s - 1ns, 0));
    CHECK(bench.controller.relapses() == 3);
    static_cast<void>(bench.score_after(1ns, 0));
    CHECK(bench.controller.relapses() == 2);
  }
}

TEST_CASE("an outage that takes several steps down is one relapse", "[level][D2]") {
  bench bench;  // five levels
  static_cast<void>(bench.score(80));
  static_cast<void>(bench.score(100));
  REQUIRE(bench.score_after(10s, 100));
  // Dependencies open their circuits one after the other.
  CHECK(bench.score_after(1s, 85));
  CHECK(bench.score_after(1s, 65));
  CHECK(bench.score_after(1s, 50));
  CHECK(bench.score_after(1s, 5));
  CHECK(bench.controller.relapses() == 1);
  CHECK(bench.controller.current_dwell() == 20s);
}

TEST_CASE("a growth of one switches relapses off", "[level][D2]") {
  bench bench{{.ladder = {{level::optimal, 90}, {level::degraded, 0}},
               .dwell = 10s,
               .confirm_for = 0s,
               .dwell_growth = 1}};
  static_cast<void>(bench.score(0));
  for (int i = 0; i < 5; ++i) {
    climb_and_fall(bench, 1s);
    CHECK(bench.controller.current_dwell() == 10s);
  }
}
