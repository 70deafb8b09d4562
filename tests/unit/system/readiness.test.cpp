// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include <stdexcept>
#include <string>

using namespace system_test;
using brownout::criticality;
using brownout::score_limit;

namespace {

options with_importance(criticality of_all) {
  auto given = staging_options();
  for (auto& one : given.dependencies) one.criticality = of_all;
  return given;
}

void take_down(staging& system, dependency one) {
  system.answers[number(one)] = health::down;
  while (system.state(one) == circuit_state::closed) system.fail_call(one);
  system.watched.refresh(system.clock.now());
}

}  // namespace

TEST_CASE("an instance wants requests from its first assessment on, at every level but the worst",
          "[system][H3]") {
  staging system;
  CHECK_FALSE(system.watched.ready());
  const auto plan = system.watched.step(system.clock.now());
  CHECK_FALSE(system.watched.ready());
  for (const auto& order : plan.probes) system.report(order, true);
  CHECK(system.watched.ready());
  CHECK(system.snapshot().ready);

  take_down(system, dependency::openai);
  REQUIRE(system.snapshot().level == level::minimal);
  CHECK(system.watched.ready());
  take_down(system, dependency::database);
  REQUIRE(system.snapshot().level == level::emergency);
  CHECK_FALSE(system.watched.ready());
  CHECK_FALSE(system.snapshot().ready);
}

TEST_CASE("where readiness ends can be set", "[system][H3]") {
  auto given = staging_options();
  given.ready_until = level::degraded;
  staging system{given};
  system.run(1s);
  take_down(system, dependency::database);
  REQUIRE(system.snapshot().level == level::degraded);
  CHECK(system.watched.ready());
  take_down(system, dependency::s3);
  REQUIRE(system.snapshot().level == level::limited);
  CHECK_FALSE(system.watched.ready());
}

TEST_CASE("an operator's level decides on readiness as well", "[system][H3][D5]") {
  staging system;
  system.run(1s);
  system.watched.set_override(
      {.level = level::emergency, .reason = "drain", .actor = "ada", .expires = system.clock.now() + 30s},
      system.clock.now());
  CHECK_FALSE(system.watched.ready());
  system.run(30s);
  CHECK(system.watched.ready());
}

TEST_CASE("optional dependencies never take readiness away, all of them together neither",
          "[system][H3][H3b]") {
  const auto until = GENERATE(level::minimal, level::limited, level::degraded, level::optimal);
  INFO(to_string(until));
  auto given = with_importance(criticality::optional);
  given.ready_until = until;
  given.levels.hysteresis = GENERATE(0.0, 3.0);
  staging system{given};
  system.run(1s);
  system.answers.fill(health::down);
  system.run(2min);
  CHECK(system.watched.ready());
  CHECK(system.snapshot().level == until);
  CHECK(system.snapshot().before_limits == 0);
  CHECK(system.snapshot().score == system.watched.options().levels.needed_for(until));
  CHECK(system.snapshot().limit == score_limit::optional);
}

TEST_CASE("optional dependencies do not keep readiness from coming back either", "[system][H3]") {
  auto given = with_importance(criticality::optional);
  given.dependencies[number(dependency::database)].criticality = criticality::standard;
  given.dependencies[number(dependency::database)].weight = 3;
  given.levels.hysteresis = 5;
  given.levels.ladder = {{level::optimal, 90},
                         {level::degraded, 70},
                         {level::limited, 60},
                         {level::minimal, 40, 55},
                         {level::emergency, 0}};
  staging system{given};
  system.run(1s);
  system.answers.fill(health::down);
  system.run(2min);
  REQUIRE(system.snapshot().level == level::emergency);
  CHECK_FALSE(system.watched.ready());
  system.answers[number(dependency::database)] = health::up;
  system.run(40s);  // it answers, and the dwell passes
  CHECK(system.snapshot().score == Approx(3 / 3.7 * 100));
  CHECK(system.watched.ready());

  // At the start, with the optional ones down and more heavy than the rest.
  given.dependencies[number(dependency::database)].weight = 0.1;
  staging started{given};
  started.answers.fill(health::down);
  started.answers[number(dependency::database)] = health::up;
  started.run(2min);
  CHECK(started.snapshot().score == 55);
  CHECK(started.watched.ready());
}

TEST_CASE("a required dependency takes the level down to its own score, whatever it weighs", "[system][H3]") {
  auto given = staging_options();
  given.dependencies[number(dependency::s3)].criticality = criticality::required;
  staging system{given};
  system.run(1s);
  take_down(system, dependency::s3);
  const auto seen = system.snapshot();
  CHECK(seen.before_limits == 95);
  CHECK(seen.score == 0);
  CHECK(seen.limit == score_limit::required);
  CHECK(seen.limited_by == number(dependency::s3));
  CHECK(seen.components[number(dependency::s3)].criticality == criticality::required);
  CHECK(seen.components[number(dependency::openai)].criticality == criticality::standard);
  CHECK(seen.level == level::emergency);
  CHECK_FALSE(system.watched.ready());
  REQUIRE_FALSE(seen.transitions.empty());
  CHECK(seen.transitions.back().limit == score_limit::required);
  CHECK(seen.transitions.back().limited_by == number(dependency::s3));
}

TEST_CASE("a required dependency takes readiness away also where optional ones would not", "[system][H3]") {
  auto given = with_importance(criticality::optional);
  given.dependencies[number(dependency::s3)].criticality = criticality::required;
  staging system{given};
  system.run(1s);
  system.answers.fill(health::down);
  system.run(2min);
  CHECK(system.snapshot().score == 0);
  CHECK(system.snapshot().limit == score_limit::required);
  CHECK_FALSE(system.watched.ready());
}

TEST_CASE("a dependency that stands on another is trusted less while that one is unwell", "[system][H1]") {
  auto given = staging_options();
  given.dependencies[number(dependency::openai)].depends_on = {"redis", "s3"};  // declared after it
  staging system{given};
  system.run(1s);
  CHECK(system.snapshot().score == 100);
  take_down(system, dependency::s3);
  const auto openai = system.component(dependency::openai).health;
  CHECK(openai.own_score == 100);
  CHECK(openai.trust == 0.5);
  CHECK(openai.score == 50);
  CHECK(system.snapshot().score == 70);  // 5 of its own, 25 of the one that stands on it
  CHECK(system.component(dependency::database).health.trust == 1);
}

TEST_CASE("a dependency that stands on one that there is not, or on itself, is refused",
          "[system][options]") {
  const auto refusal = [](std::vector<std::string> of_database, std::vector<std::string> of_redis = {}) {
    auto given = staging_options();
    given.dependencies[number(dependency::database)].depends_on = std::move(of_database);
    given.dependencies[number(dependency::redis)].depends_on = std::move(of_redis);
    try {
      const supervisor built{matrix, given, given.claims(), manual_clock{}};
    } catch (const std::invalid_argument& error) {
      return std::string{error.what()};
    }
    return std::string{};
  };
  CHECK(refusal({"openai"}, {"database"}) == "");
  CHECK(refusal({"postgres"}) ==
        "dependency_options.depends_on of database = 'postgres': allowed is the name of another dependency");
  CHECK(refusal({"openai", ""}) ==
        "dependency_options.depends_on of database = '': allowed is the name of another dependency");
  const auto cycle = ": allowed is a component that does not depend on itself, also not through others";
  CHECK(refusal({"database"}) == "scorer.depends_on of component 1 = a cycle" + std::string{cycle});
  CHECK(refusal({"redis"}, {"database"}) ==
        "scorer.depends_on of component 1 = a cycle" + std::string{cycle});
}
