// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include "brownout/system/supervisor_options.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace system_test;

TEST_CASE("breaker options that are left out keep the defaults of a dependency, also when they are replaced",
          "[system][S7][S7a][S7b]") {
  manual_clock clock;
  brownout::dependency store{{.name = "store", .breaker = {.probes = 2}, .timeout = 8s}, clock};
  const auto is_of_a_dependency = [&] {
    const auto in_force = store.options();
    CHECK(in_force.open_for.waits_for_refusals());
    CHECK(in_force.open_for.upper_bound() == 36s);  // 30 s and the jitter
    CHECK(in_force.successes == 3);
    CHECK(in_force.ramp.first == 0);
    CHECK(in_force.lease == 36s);
  };
  is_of_a_dependency();
  CHECK(store.options().probes == 2);
  store.reconfigure(brownout::breaker_options{.relapse_within = 1s});
  is_of_a_dependency();
  CHECK(store.options().probes == 1);
  CHECK(store.options().relapse_within == 1s);

  // What a change names is changed, and nothing else; the same options mean the same at both places.
  store.reconfigure(brownout::breaker_options{.successes = 2});
  CHECK(store.options().successes == 2);
  CHECK(store.options().ramp.first == 0);
  CHECK(store.options().lease == 36s);
  brownout::dependency other{{.name = "other", .breaker = {.successes = 2}, .timeout = 8s}, clock};
  CHECK(other.options().successes == 2);
  CHECK(other.options().open_for.upper_bound() == 36s);
  CHECK(other.options().lease == 36s);

  // With a probe, a short open period costs no user anything.
  const auto ping = [](const probe_context&) { return probe_result{outcome::success, ""}; };
  brownout::dependency probed{{.name = "probed", .probe = ping, .timeout = 8s}, clock};
  CHECK(probed.options().open_for.upper_bound() == 3600ms);
  CHECK(probed.options().successes == 5);
  CHECK(probed.options().lease == 16s);

  // Alone, a breaker has its own.
  brownout::circuit_breaker alone{{.name = "alone"}, clock};
  CHECK(alone.options().ramp.first == 6);
}

TEST_CASE("thresholds change while the system runs, and its history is kept", "[system][S8][S8a][S8b]") {
  staging staging;
  staging.run(1s);
  REQUIRE(staging.snapshot().level == level::optimal);
  staging.answers[number(dependency::redis)] = health::down;
  staging.run(60s);
  const auto before = staging.snapshot();
  REQUIRE(before.level == level::degraded);
  REQUIRE(before.score == 85);

  auto changed = staging.watched.options();
  changed.levels.ladder = {{level::optimal, 80},
                           {level::degraded, 70},
                           {level::limited, 60},
                           {level::minimal, 40},
                           {level::emergency, 0}};
  staging.watched.reconfigure(changed, staging.clock.now());
  staging.run(9s);
  CHECK(staging.snapshot().level == level::degraded);  // the dwell
  staging.run(1s);
  const auto after = staging.snapshot();
  CHECK(after.level == level::optimal);
  CHECK(after.transitions.size() == before.transitions.size() + 1);
  CHECK(after.components[number(dependency::redis)].changes == staging.component(dependency::redis).changes);
  CHECK(after.components[number(dependency::database)].recent.calls >=
        before.components[number(dependency::database)].recent.calls);
}

TEST_CASE("weight and criticality of a dependency change while the system runs", "[system][S8][S8c]") {
  staging staging;
  staging.run(1s);
  staging.answers[number(dependency::s3)] = health::down;
  staging.run(60s);
  REQUIRE(staging.snapshot().score == 95);
  staging.watched.set_weight(dependency::s3, 0.95, staging.clock.now());
  CHECK(staging.snapshot().components[number(dependency::s3)].configured_weight == 0.5);
  CHECK(staging.snapshot().score == 50);
  CHECK(staging.snapshot().level == level::minimal);
  staging.watched.set_criticality(dependency::s3, brownout::criticality::required, staging.clock.now());
  CHECK(staging.snapshot().score == 0);

  for (const double weight : {-1.0, 1e10}) {
    CHECK_THROWS_AS(staging.watched.set_weight(dependency::s3, weight, staging.clock.now()),
                    std::invalid_argument);
  }
  CHECK(staging.snapshot().components[number(dependency::s3)].configured_weight == 0.5);
}

TEST_CASE("a dry run begins and ends while the system runs, and says so", "[system][S8][S8d]") {
  staging staging;
  staging.run(1s);
  staging.answers[number(dependency::redis)] = health::down;
  staging.run(60s);
  REQUIRE(staging.watched.features().level() == level::degraded);
  auto changed = staging.watched.options();
  changed.levels.dry_run = true;
  staging.watched.reconfigure(changed, staging.clock.now());
  CHECK(staging.watched.features().level() == level::optimal);
  CHECK(staging.snapshot().health_level == level::degraded);
  CHECK(staging.snapshot().transitions.back().cause == brownout::level_cause::reconfigured);
  changed.levels.dry_run = false;
  staging.watched.reconfigure(changed, staging.clock.now());
  CHECK(staging.watched.features().level() == level::degraded);
  CHECK(staging.snapshot().transitions.back().to == level::degraded);
}

TEST_CASE("intervals of probes and the window of evidence change while the system runs",
          "[system][S8][S8e]") {
  staging staging;
  staging.run(1s);
  auto changed = staging.watched.options();
  changed.probe_interval = 1s;
  changed.suspect_interval = 500ms;
  changed.health.component.evidence.window = 5;
  staging.watched.reconfigure(changed, staging.clock.now());
  const auto before = staging.orders_of(dependency::redis);
  staging.run(10s);
  CHECK(staging.orders_of(dependency::redis) >= before + 9);
  CHECK(staging.component(dependency::redis).recent.calls == 5);
}

TEST_CASE("a change of options that is not valid is refused, and nothing has changed", "[system][S8][S8f]") {
  staging staging;
  staging.run(1s);
  const auto refusal = [&](auto change) {
    auto changed = staging.watched.options();
    change(changed);
    try {
      staging.watched.reconfigure(changed, staging.clock.now());
    } catch (const std::invalid_argument& error) {
      return std::string{error.what()};
    }
    return std::string{};
  };
  CHECK(refusal([](auto& o) { o.probe_interval = 0s; }) ==
        "supervisor_options.probe_interval = 0s: allowed is 1ms to 24h");
  CHECK(refusal([](auto& o) { o.probe_jitter = 0.6; }) ==
        "supervisor_options.probe_jitter = 0.6: allowed is 0 to 0.5");
  CHECK(refusal([](auto& o) {
          o.levels.ladder = {{level::optimal, 90}, {level::degraded, 0}};
        }) == "feature_rule.last of feature 0 = minimal: allowed is a level of the ladder");
  CHECK(refusal([](auto& o) { o.health.component.evidence.stale_after = 5s; }) ==
        "evidence_options.stale_after = 5s: allowed is longer than a probe's interval and time-out together, "
        "15s");
  CHECK(staging.watched.options().probe_interval == 10s);
  staging.run(20s);
  CHECK(staging.snapshot().level == level::optimal);
}
