// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

using namespace system_test;
using brownout::level_cause;

namespace {

void open(staging& system, dependency one) {
  system.answers[number(one)] = health::down;
  while (system.state(one) == circuit_state::closed) system.fail_call(one);
}

void pin(staging& system, level to, duration for_how_long = 1h) {
  system.watched.set_override(
      {.level = to, .reason = "drill", .actor = "ada", .expires = system.clock.now() + for_how_long},
      system.clock.now());
}

}  // namespace

TEST_CASE("a change of the level names what lost points, the greatest loss first, and what is unknown last",
          "[system][D5][D5e]") {
  auto given = staging_options();
  given.dependencies[number(dependency::s3)].probe = {};
  staging system{given};
  system.run(1s);
  open(system, dependency::redis);
  open(system, dependency::database);
  system.watched.refresh(system.clock.now());

  const auto change = system.snapshot().transitions.back();
  CHECK(change.cause == level_cause::health_fell);
  CHECK(change.from == level::optimal);
  CHECK(change.to == level::minimal);
  CHECK(change.threshold == 90);
  CHECK(change.score == Approx(50 / 0.95));
  CHECK(change.at == system.clock.now());
  CHECK_FALSE(change.dry_run);
  CHECK(change.limit == brownout::score_limit::none);
  REQUIRE(change.contributions.size() == 3);
  CHECK(change.contributions[0].dependency == number(dependency::database));
  CHECK(change.contributions[0].state == circuit_state::open);
  CHECK(change.contributions[0].score == 0);
  CHECK(change.contributions[0].lost == Approx(30 / 0.95));
  CHECK(change.contributions[1].dependency == number(dependency::redis));
  CHECK(change.contributions[1].lost == Approx(15 / 0.95));
  CHECK(change.contributions[2].dependency == number(dependency::s3));
  CHECK_FALSE(change.contributions[2].score);
  CHECK(change.contributions[2].lost == 0);

  CHECK(change.next.better == level::limited);
  CHECK(change.next.better_at == 60);
  CHECK(change.next.better_after == 10s);
  CHECK(change.next.worse == level::emergency);
  CHECK(change.next.worse_below == 40);
}

TEST_CASE("a recovery tells which threshold was held for how long", "[system][D5]") {
  staging system;
  system.run(1s);
  open(system, dependency::database);
  system.run(1s);
  system.answers.fill(health::up);
  system.run(1min);
  const auto change = system.snapshot().transitions.back();
  CHECK(change.cause == level_cause::health_recovered);
  CHECK(change.threshold == 90);
  CHECK(change.held == 10s);
  CHECK(change.score == 100);
  CHECK(change.contributions.empty());
  CHECK_FALSE(change.next.better);
}

TEST_CASE("the first assessment and an operator's word decide by no threshold", "[system][D5]") {
  staging system;
  system.run(1s);
  REQUIRE(system.snapshot().transitions.size() == 1);
  CHECK(system.snapshot().transitions[0].cause == level_cause::first_assessment);
  CHECK_FALSE(system.snapshot().transitions[0].threshold);
  pin(system, level::limited);
  const auto change = system.snapshot().transitions.back();
  CHECK(change.cause == level_cause::override_set);
  CHECK_FALSE(change.threshold);
  CHECK(change.score == 100);
  CHECK(change.contributions.empty());
}

TEST_CASE("the end of an override names who set it and why", "[system][D5]") {
  staging system;
  system.run(1s);
  pin(system, level::limited, 10s);
  CHECK(system.snapshot().transitions.back().actor == "ada");
  SECTION("it expires") {
    system.run(10s);
  }
  SECTION("it is cleared") {
    system.watched.clear_override(system.clock.now());
  }
  SECTION("another one, without a change of the level, came after it") {
    system.watched.set_override(
        {.level = level::limited, .reason = "again", .actor = "bob", .expires = system.clock.now() + 1s},
        system.clock.now());
    system.run(10s);
    CHECK(system.snapshot().transitions.back().actor == "bob");
    return;
  }
  const auto change = system.snapshot().transitions.back();
  CHECK(change.cause == level_cause::override_ended);
  CHECK(change.actor == "ada");
  CHECK(change.reason == "drill");
  open(system, dependency::database);
  system.watched.refresh(system.clock.now());
  CHECK(system.snapshot().transitions.back().actor.empty());
}

TEST_CASE("the last 64 changes are remembered, all of them are counted and told once", "[system][D5]") {
  staging system;
  system.run(1s);
  for (int i = 0; i < 50; ++i) {
    pin(system, level::minimal);
    system.clock.advance(1ms);
    system.watched.clear_override(system.clock.now());
  }
  system.run(1s);
  const auto seen = system.snapshot();
  REQUIRE(seen.transitions.size() == 64);
  CHECK(seen.transitions.size() == supervisor::remembered_transitions);
  REQUIRE(system.level_changes.size() == 101);
  for (std::size_t i = 0; i < 64; ++i) {
    CHECK(seen.transitions[i].at == system.level_changes[101 - 64 + i].at);
    CHECK(seen.transitions[i].cause == system.level_changes[101 - 64 + i].cause);
  }
  CHECK(seen.level_changes[static_cast<std::size_t>(level::optimal)]
                          [static_cast<std::size_t>(level::minimal)] == 50);
  CHECK(seen.level_changes[static_cast<std::size_t>(level::minimal)]
                          [static_cast<std::size_t>(level::optimal)] == 50);
  CHECK(seen.level_changes[static_cast<std::size_t>(level::emergency)]
                          [static_cast<std::size_t>(level::optimal)] == 1);
}

TEST_CASE("a snapshot says what would change the level", "[system][D5]") {
  staging system;
  system.run(1s);
  open(system, dependency::database);
  system.watched.refresh(system.clock.now());
  CHECK(system.snapshot().outlook.better == level::optimal);
  CHECK(system.snapshot().outlook.better_at == 90);
  CHECK_FALSE(system.snapshot().outlook.better_in);
  CHECK(system.snapshot().outlook.worse_below == 70);
  system.answers.fill(health::up);
  system.run(24s);  // closed after 20
  REQUIRE(system.snapshot().score == 100);
  CHECK(system.snapshot().outlook.better_in == 6s);
}

TEST_CASE("a dry run notes what it would do, and changes nothing for requests", "[system][D5]") {
  auto given = staging_options();
  given.levels.dry_run = true;
  staging system{given};
  system.run(1s);
  system.answers.fill(health::down);
  system.run(1min);
  const auto seen = system.snapshot();
  CHECK(seen.dry_run);
  CHECK(seen.level == level::optimal);
  CHECK(seen.health_level == level::emergency);
  CHECK(seen.score == 0);
  CHECK(system.watched.features().level() == level::optimal);
  CHECK(system.watched.ready());
  CHECK(system.watched.features().available(feature::read_only_access));
  // The circuits refuse all the same.
  CHECK_FALSE(system.watched.features().available(feature::inventory_management));
  REQUIRE(seen.transitions.back().cause == level_cause::health_fell);
  CHECK(seen.transitions.back().to == level::emergency);
  CHECK(seen.transitions.back().dry_run);

  pin(system, level::minimal, 10s);
  CHECK(system.watched.features().level() == level::minimal);  // an operator does not rehearse
  system.run(10s);
  CHECK(system.watched.features().level() == level::optimal);
}
