// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include <vector>

using namespace system_test;
using brownout::level_cause;

namespace {

constexpr auto one_feature = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::read_only_access, .last = level::degraded, .needs = needs(0)}});

/// One dependency that only the calls of one feature ask, and that opens at the first failure, for 20 s.
options alone() {
  options given{{.levels = {.ladder = {{level::optimal, 90}, {level::degraded, 50}, {level::limited, 0}},
                            .dwell = 10s}}};
  described only;
  only.name = "database";
  only.detector = {1};
  only.breaker.open_for = 20s;
  only.breaker.successes = 1;
  given.dependencies.push_back(std::move(only));
  return given;
}

/// Its users call whenever the feature is offered, ten times a second.
struct unprobed {
  explicit unprobed(options given = alone()) : watched{one_feature, given, given.claims(), clock} {}

  void run(duration time, bool up) {
    for (const auto until = clock.now() + time; clock.now() < until; clock.advance(100ms)) {
      for (auto& change : watched.step(clock.now()).level_changes) changes.push_back(std::move(change));
      if (!watched.features().available(feature::read_only_access)) continue;
      if (auto call = watched.described(0).try_acquire()) {
        calls.push_back(clock.now());
        static_cast<void>(call->complete(up ? outcome::success : outcome::failure));
      }
    }
  }
  [[nodiscard]] auto snapshot() const { return watched.snapshot(clock.now()); }

  manual_clock clock{time_point{1h}};
  brownout::supervisor<decltype(one_feature), manual_clock> watched;
  std::vector<time_point> calls;
  std::vector<brownout::explained_transition<level>> changes;
};

}  // namespace

TEST_CASE("a dead dependency without a probe is tried again, less and less often", "[system][H2][D2]") {
  unprobed one;
  one.run(5s, true);
  CHECK(one.snapshot().level == level::optimal);
  one.calls.clear();
  one.run(10min, false);

  REQUIRE(one.calls.size() >= 6);
  // The open period, and the dwell after it, which each failed try doubles: up to sixteen times.
  const duration dwells[] = {10s, 20s, 40s, 80s, 160s};
  for (std::size_t i = 0; i < 5; ++i) {
    const auto waited = one.calls[i + 1] - one.calls[i];
    INFO("try " << i);
    CHECK(waited >= 20s + dwells[i]);
    CHECK(waited <= 20s + dwells[i] + 300ms);
  }
  CHECK(one.snapshot().level != level::optimal);
  for (std::size_t i = 2; i < one.changes.size(); ++i) {
    CHECK(one.changes[i].cause == (i % 2 == 0 ? level_cause::evidence_lost : level_cause::health_fell));
  }
}

TEST_CASE("a dependency without a probe that recovers is found to have done so", "[system][H2]") {
  unprobed one;
  one.run(5s, true);
  one.run(5min, false);
  REQUIRE(one.snapshot().level == level::limited);
  one.run(5min, true);
  CHECK(one.snapshot().level == level::optimal);
  CHECK(one.snapshot().components[0].circuit.state == circuit_state::closed);
  CHECK(one.snapshot().components[0].outages == 1);
}

TEST_CASE("without a panic floor nobody tries, and the level stays where it is", "[system][H2]") {
  auto given = alone();
  given.levels.panic_floor.reset();
  unprobed one{given};
  REQUIRE_FALSE(one.watched.features().available(feature::read_only_access));
  one.run(1h, true);
  CHECK(one.calls.empty());
  CHECK(one.snapshot().assessed);
  CHECK(one.snapshot().level == level::limited);
}

TEST_CASE("calls that nobody makes any more become no evidence after a minute", "[system][H2]") {
  auto given = staging_options();
  given.dependencies[number(dependency::s3)].probe = {};
  given.dependencies[number(dependency::s3)].detector = {100};
  staging system{given};
  system.run(1s);
  system.fail_call(dependency::s3);
  const auto failed_at = system.clock.now();
  system.run(1min);
  REQUIRE(system.clock.now() == failed_at + 1min);
  CHECK(system.component(dependency::s3).health.score == 0);
  CHECK(system.snapshot().known_share == Approx(1));
  system.run(100ms);  // a look later
  CHECK_FALSE(system.component(dependency::s3).health.score);
  CHECK(system.component(dependency::s3).recent.calls == 1);
  CHECK(system.snapshot().score == 100);
  CHECK(system.snapshot().known_share == Approx(0.95));
  for (const auto one : {dependency::openai, dependency::database, dependency::redis})
    CHECK(system.component(one).health.score == 100);  // probed ones stay known
}

TEST_CASE("evidence stays as long as three probe intervals where they are longer than a minute",
          "[system][H2]") {
  auto given = staging_options();
  given.probe_interval = 5min;
  given.dependencies[number(dependency::s3)].probe = {};
  given.dependencies[number(dependency::s3)].detector = {100};
  staging system{given};
  system.run(1s);
  system.fail_call(dependency::s3);
  system.run(3 * (5min + 5s));
  CHECK(system.component(dependency::s3).health.score == 0);
  system.run(100ms);
  CHECK_FALSE(system.component(dependency::s3).health.score);
}

TEST_CASE("a healthy dependency that is probed is never unknown between two probes", "[system][H2]") {
  auto given = staging_options();
  given.probe_interval = GENERATE(duration{1s}, duration{10s}, duration{1h});
  given.suspect_interval = {};
  given.refresh = 1min;
  given.dependencies[number(dependency::openai)].timeout = 10min;
  staging system{given};
  system.run(1s);
  const auto until = system.clock.now() + 5h;
  for (int i = 0; system.clock.now() < until && i < 1000; ++i) {
    REQUIRE(system.snapshot().known_share == Approx(1));
    REQUIRE(system.snapshot().score == 100);
    system.clock.set(std::max(system.next, system.clock.now() + 1s));
    system.settle();
  }
}

TEST_CASE("with a probe an open circuit is bad news until that has answered, its period over or not",
          "[system][H2]") {
  staging system;
  system.run(1s);
  for (int i = 0; i < 3; ++i) system.fail_call(dependency::database);
  system.clock.advance(20s);
  system.watched.refresh(system.clock.now());  // before the step that orders the probe
  REQUIRE(system.state(dependency::database) == circuit_state::open);
  CHECK(system.component(dependency::database).health.score == 0);
}

TEST_CASE("the system scores nothing while less than half of it is known", "[system][H2]") {
  auto given = staging_options();
  given.dependencies[number(dependency::openai)].probe = {};
  given.dependencies[number(dependency::s3)].probe = {};
  staging system{given};
  system.run(1s);
  const auto seen = system.snapshot();
  CHECK(seen.known_share == Approx(0.45));
  CHECK_FALSE(seen.score);
  CHECK(seen.before_limits == 100);
  CHECK(seen.limit == brownout::score_limit::thin_evidence);
  CHECK(seen.level == level::optimal);  // the panic floor

  given.health.minimum_known = 0.45;
  staging content{given};
  content.run(1s);
  CHECK(content.snapshot().score == 100);
  CHECK(content.snapshot().limit == brownout::score_limit::none);
}
