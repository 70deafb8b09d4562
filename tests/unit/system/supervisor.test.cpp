// SPDX-License-Identifier: BSL-1.0
#include "unit/core/child.hpp"
#include "unit/system/staging_bench.hpp"

#include <csignal>
#include <stdexcept>
#include <utility>

using namespace system_test;

TEST_CASE("until every probe has answered, or failed to, the level is the worst", "[system][H2][H2i]") {
  staging staging;
  auto plan = staging.watched.step(staging.clock.now());
  REQUIRE(plan.probes.size() == 4);
  CHECK(staging.watched.features().level() == level::emergency);
  for (std::size_t i = 0; i < 3; ++i) {
    staging.report(plan.probes[i], true);
    CHECK(staging.watched.features().level() == level::emergency);
    CHECK_FALSE(staging.snapshot().assessed);
  }
  SECTION("the last answer sets it") {
    staging.report(plan.probes[3], true);
    CHECK(staging.watched.features().level() == level::optimal);
    CHECK(staging.snapshot().assessed);
    CHECK(staging.snapshot().score == 100);
    REQUIRE(staging.snapshot().transitions.size() == 1);
    CHECK(staging.snapshot().transitions[0].cause == brownout::level_cause::first_assessment);
  }
  SECTION("or its deadline, when it never comes") {
    staging.clock.advance(5s);
    static_cast<void>(staging.watched.step(staging.clock.now()));
    CHECK(staging.snapshot().assessed);
    CHECK(staging.snapshot().score == 95);
    CHECK(staging.watched.features().level() == level::optimal);
  }
}

TEST_CASE("an override reaches requests at once and ends by itself", "[system][D5]") {
  staging staging;
  staging.run(1s);
  staging.watched.set_override({.level = level::emergency,
                                .reason = "migration",
                                .actor = "ada",
                                .expires = staging.clock.now() + 30s},
                               staging.clock.now());
  CHECK(staging.watched.features().level() == level::emergency);
  CHECK_FALSE(staging.watched.features().available(feature::read_only_access));
  CHECK(staging.snapshot().health_level == level::optimal);
  REQUIRE(staging.snapshot().active_override);
  CHECK(staging.snapshot().active_override->actor == "ada");

  SECTION("at its expiry") {
    staging.run(30s - 1ns);
    CHECK(staging.watched.features().level() == level::emergency);
    staging.run(1ns);
  }
  SECTION("when it is taken back") {
    staging.watched.clear_override(staging.clock.now());
  }
  CHECK(staging.watched.features().level() == level::optimal);
  CHECK_FALSE(staging.snapshot().active_override);
  CHECK(staging.snapshot().transitions.back().cause == brownout::level_cause::override_ended);
  brownout::level_override<level> nameless;
  CHECK_THROWS_AS(staging.watched.set_override(nameless, staging.clock.now()), std::invalid_argument);
}

TEST_CASE("the end of a dwell and that of an override wake the supervisor, however seldom it looks",
          "[system][S2][D5]") {
  auto given = staging_options();
  given.refresh = 1min;
  given.probe_interval = 10min;
  staging staging{given};
  staging.run(1s);
  for (int i = 0; i < 3; ++i) staging.fail_call(dependency::database);
  staging.watched.refresh(staging.clock.now());
  staging.settle();
  staging.run(20s);  // the circuit is closed again
  REQUIRE(staging.state(dependency::database) == circuit_state::closed);
  REQUIRE(staging.watched.features().level() == level::degraded);
  CHECK(staging.next == staging.clock.now() + 10s);
  staging.run(10s);
  CHECK(staging.watched.features().level() == level::optimal);

  staging.watched.set_override(
      {.level = level::minimal, .reason = "migration", .actor = "ada", .expires = staging.clock.now() + 7s},
      staging.clock.now());
  staging.settle();
  CHECK(staging.next == staging.clock.now() + 7s);
  staging.run(7s);
  CHECK(staging.watched.features().level() == level::optimal);
}

TEST_CASE("a snapshot names and weighs the dependencies as configured", "[system]") {
  staging staging;
  staging.run(1s);
  const auto seen = staging.snapshot();
  CHECK(seen.at == staging.clock.now());
  CHECK(seen.current_dwell == 10s);
  REQUIRE(seen.components.size() == 4);
  const char* names[] = {"openai", "database", "redis", "s3"};
  const double weights[] = {0.5, 0.3, 0.15, 0.05};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(seen.components[i].name == names[i]);
    CHECK(seen.components[i].configured_weight == Approx(weights[i]));
    CHECK(seen.components[i].health.weight == Approx(weights[i]));
    CHECK(seen.components[i].circuit.state == circuit_state::closed);
    CHECK(seen.components[i].recent.calls == 1);
    CHECK(staging.watched.described(i).name() == names[i]);
    CHECK(std::as_const(staging.watched).at(i).name() == names[i]);
    CHECK(staging.watched.probe_of(i));
  }
  CHECK(staging.watched.now() == staging.clock.now());
}

TEST_CASE("a listener of a supervised circuit may call the supervisor, as no lock is held",
          "[system][S10][S10a]") {
  staging staging;
  staging.run(1s);
  std::vector<circuit_state> heard;
  const auto subscription = staging.watched.described(dependency::redis)
                                .subscribe(
                                    [&](const brownout::transition_event& event) {
                                      heard.push_back(event.to);
                                      staging.watched.refresh(staging.clock.now());
                                      CHECK(staging.component(dependency::redis).circuit.state == event.to);
                                      static_cast<void>(staging.watched.step(staging.clock.now()));
                                    },
                                    brownout::announcements::every_transition);
  staging.answers[number(dependency::redis)] = health::down;
  staging.run(60s);
  REQUIRE_FALSE(heard.empty());
  CHECK(heard.front() == circuit_state::open);
}

TEST_CASE("what takes a time can be asked without one, and then reads its clock", "[system][S2]") {
  staging staging;
  staging.run(1s);
  staging.clock.advance(5s);
  auto& watched = staging.watched;
  CHECK(watched.snapshot().at == staging.clock.now());
  watched.set_override({level::limited, "drill", "ann", staging.clock.now() + 40s});
  CHECK(watched.features().level() == level::limited);
  CHECK(watched.retry_after(feature::full_ai_pipeline) >= 40s);
  CHECK(watched.retry_after() >= 40s);
  watched.clear_override();
  CHECK(watched.features().level() == level::optimal);
  watched.set_weight(dependency::s3, 0.95);
  watched.set_criticality(dependency::s3, brownout::criticality::required);
  watched.refresh();
  CHECK(watched.snapshot().components[number(dependency::s3)].criticality == brownout::criticality::required);
  watched.reconfigure(watched.options());
  CHECK(watched.snapshot().level == level::optimal);
}
