// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/controller_bench.hpp"

#include <stdexcept>
#include <string>

using namespace level_test;

namespace {

pin pinned(bench& bench, level to, duration for_how_long) {
  return {.level = to, .reason = "migration", .actor = "ada", .expires = bench.now + for_how_long};
}

std::string refusal(bench& bench, pin tried) {
  try {
    static_cast<void>(bench.set(std::move(tried), 100));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an override wins over health, either way", "[level][D5][D5a]") {
  bench bench;
  static_cast<void>(bench.score(65));
  const auto to = GENERATE(level::optimal, level::emergency);
  const auto change = bench.set(pinned(bench, to, 60s), 65);
  REQUIRE(change);
  CHECK(change->from == level::limited);
  CHECK(change->to == to);
  CHECK(change->cause == level_cause::override_set);
  CHECK(change->score == 65);
  CHECK(change->at == bench.now);
  CHECK(bench.shown() == to);
  CHECK(bench.controller.health_level() == level::limited);
  REQUIRE(bench.controller.active_override());
  CHECK(bench.controller.active_override()->reason == "migration");
  CHECK(bench.controller.active_override()->actor == "ada");

  // Health goes on below it, unseen.
  CHECK_FALSE(bench.score(10));
  CHECK(bench.controller.health_level() == level::emergency);
  CHECK(bench.shown() == to);
}

TEST_CASE("an override ends by itself, to the nanosecond", "[level][D5][D5b]") {
  bench bench;
  static_cast<void>(bench.score(65));
  static_cast<void>(bench.set(pinned(bench, level::optimal, 60s), 65));
  CHECK(bench.controller.next_change() == bench.now + 60s);
  CHECK_FALSE(bench.score_after(60s - 1ns, 50));  // health falls meanwhile
  const auto change = bench.score_after(1ns, 50);
  REQUIRE(change);
  CHECK(change->from == level::optimal);
  CHECK(change->to == level::minimal);
  CHECK(change->cause == level_cause::override_ended);
  CHECK_FALSE(bench.controller.active_override());
}

TEST_CASE("an override ends also while the score is unknown", "[level][D5]") {
  bench bench;
  static_cast<void>(bench.score(65));
  static_cast<void>(bench.set(pinned(bench, level::optimal, 60s), 65));
  CHECK(to(bench.score_after(60s, std::nullopt)) == level::limited);
}

TEST_CASE("an override to the level in force is no change, and still holds it", "[level][D5]") {
  bench bench;
  static_cast<void>(bench.score(95));
  CHECK_FALSE(bench.set(pinned(bench, level::optimal, 60s), 95));
  CHECK_FALSE(bench.score(0));
  CHECK(bench.shown() == level::optimal);
}

TEST_CASE("an override can be taken back and replaced", "[level][D5]") {
  bench bench;
  static_cast<void>(bench.score(95));
  static_cast<void>(bench.set(pinned(bench, level::minimal, 60s), 95));
  SECTION("taken back") {
    const auto change = bench.clear(95);
    REQUIRE(change);
    CHECK(change->from == level::minimal);
    CHECK(change->to == level::optimal);
    CHECK(change->cause == level_cause::override_ended);
    CHECK_FALSE(bench.clear(95));
  }
  SECTION("replaced") {
    const auto change = bench.set(pinned(bench, level::limited, 30s), 95);
    REQUIRE(change);
    CHECK(change->from == level::minimal);
    CHECK(change->to == level::limited);
    CHECK(to(bench.score_after(30s, 95)) == level::optimal);
  }
}

TEST_CASE("the earlier of dwell and expiry is the next change", "[level][D5]") {
  bench bench;
  static_cast<void>(bench.score(80));
  static_cast<void>(bench.score(95));
  const auto began = bench.now;
  CHECK(bench.controller.next_change() == began + 10s);
  static_cast<void>(bench.set(pinned(bench, level::minimal, 60s), 95));
  CHECK(bench.controller.next_change() == began + 10s);
  static_cast<void>(bench.set(pinned(bench, level::minimal, 5s), 95));
  CHECK(bench.controller.next_change() == began + 5s);
}

TEST_CASE("an override that says too little is refused, and the one before stays", "[level][D5][D5c]") {
  bench bench;
  static_cast<void>(bench.score(95));
  static_cast<void>(bench.set(pinned(bench, level::minimal, 60s), 95));

  auto tried = pinned(bench, static_cast<level>(5), 60s);
  CHECK(refusal(bench, tried) == "level_override.level = 5: allowed is a level of the ladder");
  tried = pinned(bench, level::optimal, 60s);
  tried.reason.clear();
  CHECK(refusal(bench, tried) == "level_override.reason = '': allowed is a text");
  tried = pinned(bench, level::optimal, 60s);
  tried.actor.clear();
  CHECK(refusal(bench, tried) == "level_override.actor = '': allowed is a text");
  CHECK(refusal(bench, pinned(bench, level::optimal, 0s)) ==
        "level_override.expires = a time that has passed: allowed is a time in the future");
  CHECK(refusal(bench, pinned(bench, level::optimal, -1s)) ==
        "level_override.expires = a time that has passed: allowed is a time in the future");
  CHECK(refusal(bench, pinned(bench, level::optimal, 1ns)) == "");
}

TEST_CASE("an override lasts a week at most: what nobody renews ends", "[level][D5][D5b]") {
  bench bench;
  static_cast<void>(bench.score(95));
  CHECK(refusal(bench, pinned(bench, level::optimal, 168h)) == "");
  CHECK(refusal(bench, pinned(bench, level::optimal, 168h + 1s)) ==
        "level_override.expires = 168h1s from now: allowed is up to 168h from now");
  auto tried = pinned(bench, level::optimal, 1s);
  tried.expires = time_point::max();
  CHECK(refusal(bench, tried) != "");
  tried.expires = time_point::min();  // its distance from now does not fit into a duration
  CHECK(refusal(bench, tried) ==
        "level_override.expires = a time that has passed: allowed is a time in the future");
}

TEST_CASE("a refused override leaves the one before in force", "[level][D5]") {
  bench bench;
  static_cast<void>(bench.score(95));
  static_cast<void>(bench.set(pinned(bench, level::minimal, 60s), 95));
  CHECK(refusal(bench, pinned(bench, level::optimal, 0s)) != "");
  CHECK(bench.shown() == level::minimal);
}

TEST_CASE("an override before the first score counts as well", "[level][D5]") {
  bench bench;
  const auto change = bench.set(pinned(bench, level::optimal, 60s), std::nullopt);
  REQUIRE(change);
  CHECK(change->from == level::emergency);
  CHECK(change->to == level::optimal);
  CHECK_FALSE(change->score);
  CHECK_FALSE(bench.controller.assessed());
}

TEST_CASE("a cap holds the level down, and never makes it better", "[level][D5]") {
  bench bench;
  static_cast<void>(bench.score(100));
  auto cap = pinned(bench, level::limited, 60s);
  cap.kind = brownout::override_kind::cap;
  const auto change = bench.set(cap, 100);
  REQUIRE(change);
  CHECK(change->to == level::limited);
  CHECK(change->cause == level_cause::override_set);
  CHECK_FALSE(bench.score(75));  // health falls, but not below the cap
  CHECK(bench.controller.health_level() == level::degraded);

  const auto worse = bench.score(10);
  REQUIRE(worse);
  CHECK(worse->from == level::limited);
  CHECK(worse->to == level::emergency);
  CHECK(worse->cause == level_cause::health_fell);

  static_cast<void>(bench.score(100));
  CHECK(to(bench.score_after(10s, 100)) == level::minimal);
  CHECK(to(bench.score_after(10s, 100)) == level::limited);
  CHECK_FALSE(bench.score_after(10s, 100));  // degraded by health
  CHECK(bench.controller.health_level() == level::degraded);
  CHECK(to(bench.score_after(30s - 1ns, 100)) == std::nullopt);
  const auto end = bench.score_after(1ns, 100);
  REQUIRE(end);
  CHECK(end->from == level::limited);
  CHECK(end->to == level::optimal);
  CHECK(end->cause == level_cause::override_ended);
}

TEST_CASE("a freeze keeps the level that was in force, whatever level it names", "[level][D5]") {
  bench bench;
  static_cast<void>(bench.score(75));
  auto freeze = pinned(bench, static_cast<level>(99), 60s);
  freeze.kind = brownout::override_kind::freeze;
  SECTION("of health") {
    CHECK_FALSE(bench.set(freeze, 75));
    CHECK(bench.shown() == level::degraded);
    REQUIRE(bench.controller.active_override());
    CHECK(bench.controller.active_override()->level == level::degraded);
    CHECK_FALSE(bench.score(10));
    CHECK(bench.shown() == level::degraded);
    CHECK(to(bench.score_after(60s, 10)) == level::emergency);
  }
  SECTION("of an override before it") {
    static_cast<void>(bench.set(pinned(bench, level::minimal, 10s), 75));
    CHECK_FALSE(bench.set(freeze, 75));
    CHECK_FALSE(bench.score_after(10s, 75));  // the replaced one's expiry
    CHECK(bench.shown() == level::minimal);
    CHECK(to(bench.score_after(50s, 75)) == level::degraded);
  }
  SECTION("in a dry run: of what requests see") {
    level_test::bench dry{{.ladder = ladder, .confirm_for = 0s, .dry_run = true}};
    static_cast<void>(dry.score(10));
    static_cast<void>(dry.set(freeze, 10));
    CHECK(dry.shown() == level::optimal);
  }
}

TEST_CASE("while nobody has been asked an override still ends", "[level][D5]") {
  bench bench;
  static_cast<void>(bench.set(pinned(bench, level::optimal, 60s), std::nullopt));
  bench.now += 60s - 1ns;
  CHECK_FALSE(bench.controller.wait(bench.now));
  bench.now += 1ns;
  const auto change = bench.controller.wait(bench.now);
  REQUIRE(change);
  CHECK(change->to == level::emergency);
  CHECK(change->cause == level_cause::override_ended);
  CHECK_FALSE(bench.controller.assessed());
}

TEST_CASE("every cause and every kind of override has a name", "[level]") {
  CHECK(to_string(level_cause::first_assessment) == "first_assessment");
  CHECK(to_string(level_cause::health_fell) == "health_fell");
  CHECK(to_string(level_cause::health_recovered) == "health_recovered");
  CHECK(to_string(level_cause::override_set) == "override_set");
  CHECK(to_string(level_cause::override_ended) == "override_ended");
  CHECK(to_string(level_cause::evidence_lost) == "evidence_lost");
  CHECK(to_string(static_cast<level_cause>(99)) == "invalid");
  using brownout::override_kind;
  CHECK(to_string(override_kind::pin) == "pin");
  CHECK(to_string(override_kind::cap) == "cap");
  CHECK(to_string(override_kind::freeze) == "freeze");
  CHECK(to_string(static_cast<override_kind>(99)) == "invalid");
}
