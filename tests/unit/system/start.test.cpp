// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include <set>
#include <vector>

using namespace system_test;

TEST_CASE("a probe that never says anything does not keep the system from its first level",
          "[system][H2][H2j]") {
  auto given = staging_options();
  given.dependencies[number(dependency::s3)].criticality = brownout::criticality::optional;
  staging staging{given};
  staging.answers[number(dependency::s3)] = health::hangs;
  const auto cancel = [&] {
    const auto order = staging.last_order_of(dependency::s3);
    staging.watched.report(order, {outcome::cancelled, ""}, staging.clock.now());
  };
  staging.run(1s);
  cancel();
  CHECK_FALSE(staging.snapshot().assessed);
  CHECK_FALSE(staging.watched.ready());
  staging.run(9s - 1ns);
  CHECK_FALSE(staging.snapshot().assessed);
  staging.run(100ms);
  CHECK(staging.snapshot().assessed);
  CHECK(staging.watched.ready());
  CHECK(staging.snapshot().level == level::optimal);
}

TEST_CASE("before the first assessment a snapshot shows no score, and says so", "[system][H2][H2k]") {
  staging staging;
  for (auto& one : staging.answers) one = health::hangs;
  staging.run(0s);
  for (int i = 0; i < 100; ++i) staging.watched.described(dependency::openai).call([] {});
  staging.run(1s);
  const auto seen = staging.snapshot();
  CHECK_FALSE(seen.assessed);
  CHECK_FALSE(seen.score);
  CHECK_FALSE(seen.before_limits);
}

TEST_CASE("before the first assessment a system can offer what its circuits allow", "[system][H2][H2l]") {
  auto given = staging_options();
  given.levels.until_assessed = level::optimal;
  staging staging{given};
  staging.answers[number(dependency::s3)] = health::hangs;
  const auto offered = [&](feature one) { return staging.watched.features().available(one); };
  CHECK(offered(feature::read_only_access));
  staging.run(1s);
  REQUIRE_FALSE(staging.snapshot().assessed);
  CHECK(staging.snapshot().level == level::optimal);
  CHECK(staging.snapshot().health_level == level::optimal);

  SECTION("and wants no requests until then") {
    CHECK_FALSE(staging.watched.ready());
    CHECK_FALSE(staging.snapshot().ready);
    staging.run(20s);
    REQUIRE(staging.snapshot().assessed);
    CHECK(staging.watched.ready());
    CHECK(staging.snapshot().ready);
    CHECK(staging.snapshot().transitions.empty());
  }
  SECTION("a circuit that opens switches its features off at once") {
    staging.watched.described(dependency::database).force_open();
    staging.watched.refresh(staging.clock.now());
    CHECK_FALSE(offered(feature::inventory_management));
    CHECK(offered(feature::read_only_access));
  }
  SECTION("a level that the first assessment makes worse is a change") {
    for (auto& one : staging.answers) one = health::down;
    staging.run(20s);
    REQUIRE(staging.snapshot().level == level::emergency);
    REQUIRE_FALSE(staging.snapshot().transitions.empty());
    CHECK(staging.snapshot().transitions.front().from == level::optimal);
  }
  SECTION("an operator decides on the level and on readiness") {
    staging.watched.set_override({level::minimal, "drill", "ann", staging.clock.now() + 1min},
                                 staging.clock.now());
    CHECK(staging.watched.ready());
    CHECK(staging.snapshot().level == level::minimal);
  }
}

TEST_CASE("instances that start together do not probe together", "[system][exhaustive][S13][S13a][S13b]") {
  std::set<time_point> first;
  std::vector<duration> between;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    auto given = staging_options();
    given.probe_jitter = 0.1;
    given.seed = seed;
    staging staging{given};
    std::vector<time_point> begun;
    while (begun.size() < 3) {
      const auto plan = staging.watched.step(staging.clock.now());
      for (const auto& order : plan.probes) {
        staging.report(order, true);
        if (order.dependency == 0) begun.push_back(staging.clock.now());
      }
      staging.clock.set(plan.next);
    }
    CHECK(begun[0] < time_point{1h} + 1s);  // within a tenth of the interval
    first.insert(begun[0]);
    for (std::size_t i = 1; i < begun.size(); ++i) between.push_back(begun[i] - begun[i - 1]);
  }
  CHECK(first.size() > 90);
  for (const auto interval : between) {
    CHECK(interval >= 9s);
    CHECK(interval <= 11s + 100ms);
  }
  CHECK(*std::max_element(between.begin(), between.end()) > 10500ms);
  CHECK(*std::min_element(between.begin(), between.end()) < 9500ms);
}

TEST_CASE("each dependency of a system is probed at a time of its own", "[system][S13][S13c]") {
  auto given = staging_options();
  given.probe_jitter = 0.5;
  given.seed = 7;
  staging staging{given};
  std::set<time_point> first;
  while (first.size() < 4) {
    const auto plan = staging.watched.step(staging.clock.now());
    CHECK(plan.probes.size() <= 1);
    if (!plan.probes.empty()) first.insert(staging.clock.now());
    REQUIRE(staging.clock.now() < time_point{1h} + 6s);
    staging.clock.set(plan.next);
  }
}

TEST_CASE("a circuit that a real call opens says why, as one that a probe opens", "[system][S1][S1i]") {
  staging staging;
  staging.run(1s);
  for (int i = 0; i < 3; ++i) {
    static_cast<void>(staging.watched.described(dependency::database)
                          .try_acquire()
                          ->complete(outcome::failure, {}, "connection reset by peer"));
  }
  staging.run(0s);
  REQUIRE_FALSE(staging.circuit_changes.empty());
  CHECK(staging.circuit_changes.back().to == circuit_state::open);
  CHECK(staging.circuit_changes.back().reason == "connection reset by peer");
}

TEST_CASE("the memory of outages is saved, and restored by name", "[system][exhaustive][D6][D6g]") {
  staging before;
  before.run(1s);
  for (int i = 0; i < 6; ++i) {
    before.answers[number(dependency::database)] = health::down;
    before.run(60s);
    before.answers[number(dependency::database)] = health::up;
    before.run(10min);
  }
  const auto saved = before.watched.outages();
  REQUIRE(saved[number(dependency::database)].dependency == "database");
  REQUIRE(saved[number(dependency::database)].outages.size() == 6);

  staging after;
  after.run(1s);
  auto with_stranger = saved;
  with_stranger.push_back({"gone", {{5s, true}}});
  CHECK(after.watched.restore_outages(with_stranger) == 6);
  CHECK(after.watched.outages() == saved);
  after.answers[number(dependency::database)] = health::down;
  after.run(30s);
  const auto predicted = after.component(dependency::database).recovery;
  REQUIRE(predicted);
  CHECK(predicted->p50);

  const std::vector<brownout::outage_history> wrong{{"database", {{-1s, true}}}};
  CHECK_THROWS_AS(after.watched.restore_outages(wrong), std::invalid_argument);
  CHECK(after.watched.outages() == saved);
}

TEST_CASE("the first level waits for the first probe, whenever that begins", "[system][H2]") {
  auto given = staging_options();
  given.probe_jitter = 0.5;
  given.seed = 3;
  given.probe_interval = 2s;
  given.suspect_interval = 2s;
  SECTION("a probe that hangs from the start has failed when the level is known") {
    staging staging{given};
    for (auto& one : staging.answers) one = health::hangs;
    while (!staging.snapshot().assessed) {
      REQUIRE_FALSE(staging.watched.ready());
      staging.settle();
      if (!staging.snapshot().assessed) staging.clock.set(staging.next);
    }
    CHECK(staging.snapshot().score);
    CHECK_FALSE(staging.watched.ready());
  }
  SECTION("time before the first step is no time for an answer") {
    staging staging{given};
    staging.clock.advance(1h);
    static_cast<void>(staging.watched.step(staging.clock.now()));
    CHECK_FALSE(staging.snapshot().assessed);
  }
}

TEST_CASE("a probe that says `ignored` has not answered", "[system][H2]") {
  staging staging;
  for (auto& one : staging.answers) one = health::hangs;
  staging.run(0s);
  for (std::size_t i = 0; i < dependency_count; ++i)
    staging.watched.report(staging.orders[i], {outcome::ignored, ""}, staging.clock.now());
  CHECK_FALSE(staging.snapshot().assessed);
}

TEST_CASE("a supervisor that ends in the middle of a probe gives its place back", "[system][S6]") {
  manual_clock clock{time_point{1h}};
  constexpr auto one = brownout::make_feature_matrix<feature, level>(
      {{.feature = feature::read_only_access, .last = level::emergency}});
  brownout::dependency store{brownout::consecutive_failures{1},
                             {.name = "store",
                              .breaker = {.open_for = 1s, .successes = 1},
                              .probe = [](const probe_context&) { return probe_result{}; }},
                             clock};
  {
    brownout::supervisor watched{one, {.levels = {.ladder = ladder}, .probe_jitter = 0}, {{0, store}}, clock};
    static_cast<void>(store.try_acquire()->complete(outcome::failure));
    clock.advance(1s);
    REQUIRE(watched.step(clock.now()).probes.size() == 1);
    REQUIRE_FALSE(store.try_acquire());
  }
  CHECK(store.try_acquire());
}

TEST_CASE("a probe that hangs in a circuit that waits for probes fails once each interval", "[system][S1]") {
  auto given = staging_options();
  auto& database = given.dependencies[number(dependency::database)];
  database.breaker.probe_rate = {.calls = 10};
  database.breaker.successes = 0;
  database.breaker.probes = 10;
  given.suspect_interval = 2s;
  staging staging{given};
  staging.run(1s);
  staging.answers[number(dependency::database)] = health::down;
  staging.run(1min);
  staging.answers[number(dependency::database)] = health::hangs;
  staging.run(1min);
  const auto before = staging.component(dependency::database).circuit.failed_results;
  staging.run(10s);
  const auto failed = staging.component(dependency::database).circuit.failed_results - before;
  CHECK(failed <= 6);
}
