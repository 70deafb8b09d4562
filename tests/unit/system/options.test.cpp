// SPDX-License-Identifier: BSL-1.0
#include "unit/core/child.hpp"
#include "unit/system/staging_bench.hpp"

#include <csignal>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

using namespace system_test;

namespace {

/// What a supervisor says about the staging options with one thing changed: the exception's text, or nothing.
std::string refusal(const std::function<void(options&)>& change) {
  auto given = staging_options();
  change(given);
  try {
    const supervisor built{matrix, given, given.claims(), manual_clock{}};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a supervisor's options at their limits are accepted", "[system][options]") {
  CHECK(refusal([](options&) {}) == "");
  CHECK(refusal([](options& o) { o.probe_interval = o.suspect_interval = o.refresh = 1ms; }) == "");
  CHECK(refusal([](options& o) { o.probe_interval = 24h, o.refresh = 1min; }) == "");
  CHECK(refusal([](options& o) { o.dependencies[0].timeout = 1ms; }) == "");
  CHECK(refusal([](options& o) { o.dependencies[0].timeout = 1h; }) == "");
  CHECK(refusal([](options& o) { o.dependencies[0].name = std::string(128, 'n'); }) == "");
  CHECK(refusal([](options& o) { o.dependencies[0].weight = 0; }) == "");
  CHECK(refusal([](options& o) {
          while (o.dependencies.size() < 32)
            o.dependencies.push_back({{.name = std::to_string(o.dependencies.size())}});
        }) == "");
}

TEST_CASE("a supervisor refuses an option outside its range with name, value and range",
          "[system][options]") {
  CHECK(refusal([](options& o) { o.dependencies.clear(); }) ==
        "number of dependencies of a supervisor = 0: allowed is 1 to 32");
  CHECK(refusal([](options& o) {
          while (o.dependencies.size() < 33)
            o.dependencies.push_back({{.name = std::to_string(o.dependencies.size())}});
        }) == "number of dependencies of a supervisor = 33: allowed is 1 to 32");
  CHECK(refusal([](options& o) { o.dependencies[1].name = "openai"; }) ==
        "dependency_options.name = 'openai': allowed is a name that no other dependency has");
  CHECK(refusal([](options& o) { o.dependencies[1].name.clear(); }) != "");
  CHECK(refusal([](options& o) { o.dependencies[1].name = std::string(129, 'n'); }) != "");
  CHECK(refusal([](options& o) { o.dependencies[1].timeout = 0s; }) ==
        "dependency_options.timeout of database = 0s: allowed is 1ms to 1h");
  CHECK(refusal([](options& o) { o.dependencies[1].timeout = 1h + 1ms; }) ==
        "dependency_options.timeout of database = 1h1ms: allowed is 1ms to 1h");
  CHECK(refusal([](options& o) { o.dependencies[1].weight = -1; }) ==
        "dependency_options.weight of database = -1: allowed is 0 to 1000000000");
  CHECK(refusal([](options& o) { o.dependencies[1].weight = std::numeric_limits<double>::quiet_NaN(); }) ==
        "dependency_options.weight of database = nan: allowed is 0 to 1000000000");
  CHECK(refusal([](options& o) {
          for (auto& one : o.dependencies) one.weight = 0;
        }) == "sum of scorer.weights = 0: allowed is above 0");
  CHECK(refusal([](options& o) { o.dependencies[1].detector = {0}; }) ==
        "breaker 'database': consecutive_failures.threshold = 0: allowed is 1 to 1000000");
  CHECK(refusal([](options& o) { o.dependencies[1].breaker.open_for = 0s; }) ==
        "dependency database: breaker_options.open_for = 0s: allowed is 1ms to 24h");
  CHECK(refusal([](options& o) { o.suspect_interval = 1us; }) ==
        "supervisor_options.suspect_interval = 1us: allowed is 1ms to 10s");
  CHECK(refusal([](options& o) { o.suspect_interval = 10s + 1ns; }) ==
        "supervisor_options.suspect_interval = 10.000000001s: allowed is 1ms to 10s");
  CHECK(refusal([](options& o) { o.probe_interval = 0s; }) ==
        "supervisor_options.probe_interval = 0s: allowed is 1ms to 24h");
  CHECK(refusal([](options& o) { o.probe_interval = 25h; }) ==
        "supervisor_options.probe_interval = 25h: allowed is 1ms to 24h");
  CHECK(refusal([](options& o) { o.refresh = 1us; }) ==
        "supervisor_options.refresh = 1us: allowed is 1ms to 1m");
  CHECK(refusal([](options& o) { o.refresh = 61s; }) ==
        "supervisor_options.refresh = 1m1s: allowed is 1ms to 1m");
  CHECK(refusal([](options& o) { o.levels.hysteresis = -1; }) ==
        "level_policy.hysteresis = -1: allowed is 0 to 50");
  CHECK(refusal([](options& o) { o.health.component.latency.per_point = 0s; }) ==
        "latency_budget.per_point = 0s: allowed is 1us to 1h");
}

TEST_CASE("options that say when the level may be trusted are refused outside their ranges",
          "[system][options]") {
  CHECK(refusal([](options& o) { o.ready_until = static_cast<level>(5); }) ==
        "supervisor_options.ready_until = 5: allowed is a level of the ladder");
  CHECK(refusal([](options& o) { o.ready_until = level::emergency; }) == "");
  CHECK(refusal([](options& o) { o.return_over = o.levels.dwell; }) == "");
  CHECK(refusal([](options& o) { o.return_over = 11s; }) ==
        "supervisor_options.return_over = 11s: allowed is 0s to 10s");
  CHECK(refusal([](options& o) { o.return_over = -1s; }) ==
        "supervisor_options.return_over = -1s: allowed is 0s to 10s");
  CHECK(refusal([](options& o) { o.levels.dwell = 2h, o.return_over = 1h; }) == "");
  CHECK(refusal([](options& o) { o.levels.dwell = 2h, o.return_over = 1h + 1s; }) ==
        "supervisor_options.return_over = 1h1s: allowed is 0s to 1h");
  CHECK(refusal([](options& o) { o.retry_after.fallback = 0s; }) ==
        "retry_after_policy.fallback = 0s: allowed is 1ms to 24h");
  CHECK(refusal([](options& o) { o.health.optional_floor = 40; }) ==
        "supervisor_options.health.optional_floor = 40: allowed is 0: `ready_until` sets it");
  CHECK(refusal([](options& o) { o.health.cascade = 2; }) == "scorer_options.cascade = 2: allowed is 0 to 1");
  CHECK(refusal([](options& o) { o.dependencies[1].recovery.remembered = 8; }) ==
        "dependency database: recovery_options.remembered = 8: allowed is 9 to 1024");
}

TEST_CASE("evidence that would be stale before the next probe's answer is refused", "[system][options]") {
  const auto stale_after = [](duration limit) {
    return refusal([&](options& o) { o.health.component.evidence.stale_after = limit; });
  };
  CHECK(
      stale_after(15s) ==
      "evidence_options.stale_after = 15s: allowed is longer than a probe's interval and time-out together, "
      "15s");
  CHECK(stale_after(1s) != "");
  CHECK(stale_after(15s + 1ns) == "");
  CHECK(stale_after(0s) == "");  // left out
  CHECK(stale_after(-1s) == "evidence_options.stale_after = -1s: allowed is 1ms to 168h");
  CHECK(
      refusal([](options& o) {  // the slowest probe counts
        o.health.component.evidence.stale_after = 16s;
        o.dependencies[3].timeout = 6s;
      }) ==
      "evidence_options.stale_after = 16s: allowed is longer than a probe's interval and time-out together, "
      "16s");
  CHECK(refusal([](options& o) {  // without a probe there is nothing to wait for
          o.health.component.evidence.stale_after = 1ms;
          for (auto& one : o.dependencies) one.probe = {};
        }) == "");
}

TEST_CASE("a matrix that speaks of dependencies or levels there are not is refused", "[system][options]") {
  CHECK(refusal([](options& o) { o.dependencies.pop_back(); }) ==
        "supervisor: feature 3 needs dependency 3, which is not claimed");
  CHECK(refusal([](options& o) {
          o.levels.ladder = {{level::optimal, 90}, {level::degraded, 0}};
        }) == "feature_rule.last of feature 0 = minimal: allowed is a level of the ladder");
}

TEST_CASE("asking for a dependency there is not is a broken precondition", "[system]") {
  staging staging;
  CHECK(core_test::in_child([&] { static_cast<void>(staging.watched.described(4)); }).signal == SIGABRT);
  CHECK(core_test::in_child([&] { static_cast<void>(staging.watched.probe_of(4)); }).signal == SIGABRT);
  CHECK(core_test::in_child([&] {
          staging.watched.report({.dependency = 4}, {}, staging.clock.now());
        }).signal == SIGABRT);
}
