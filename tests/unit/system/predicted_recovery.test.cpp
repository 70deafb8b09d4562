// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include <set>

using namespace system_test;

namespace {

/// The staging system with outages of a length that the test chooses.
struct learning : staging {
  explicit learning(options given = staging_options()) : staging{std::move(given)} { run(1s); }

  void begin(dependency one) {
    answers[number(one)] = health::down;
    while (state(one) == circuit_state::closed) fail_call(one);
    watched.refresh(clock.now());
    settle();
  }
  /// A whole outage of the database, in periods of 20 s, and a calm after it that no relapse outlives.
  void outage(int periods) {
    begin(dependency::database);
    run(periods * 20s - 1s);
    answers[number(dependency::database)] = health::up;
    run(1s);
    REQUIRE(state(dependency::database) == circuit_state::closed);
    run(10min);
  }
  [[nodiscard]] auto recovery() const { return snapshot().recovery; }
  [[nodiscard]] auto recovery_of(dependency one) const { return component(one).recovery; }
};

}  // namespace

TEST_CASE("a dependency that is well, and a system at its best, have nothing to recover from",
          "[system][D6]") {
  learning system;
  CHECK_FALSE(system.recovery());
  for (const auto& one : system.snapshot().components) {
    CHECK_FALSE(one.recovery);
    CHECK_FALSE(one.outage_began);
  }
}

TEST_CASE("before enough outages have ended, recovery is unknown, but for when it can show at the earliest",
          "[system][D6]") {
  learning system;
  system.begin(dependency::database);
  const auto began = system.clock.now();
  REQUIRE(system.recovery_of(dependency::database));
  CHECK(system.component(dependency::database).outage_began == began);
  CHECK(system.recovery_of(dependency::database)->not_before == 20s);
  CHECK_FALSE(system.recovery_of(dependency::database)->p50);
  CHECK_FALSE(system.recovery_of(dependency::database)->p90);
  REQUIRE(system.recovery());
  CHECK(system.recovery()->not_before == 30s);  // and the dwell
  CHECK_FALSE(system.recovery()->p50);

  system.run(5s);
  CHECK(system.recovery_of(dependency::database)->not_before == 15s);
  CHECK(system.recovery()->not_before == 25s);
  system.run(16s);  // the probe at 20 s has failed: the next period
  CHECK(system.component(dependency::database).outage_began == began);
  CHECK(system.recovery_of(dependency::database)->not_before == 19s);
}

TEST_CASE("after five ended outages half of the recoveries are known, after nine nine of ten",
          "[system][exhaustive][D6]") {
  learning system;
  for (int ended = 0; ended < 10; ++ended) {
    system.begin(dependency::database);
    const auto seen = *system.recovery_of(dependency::database);
    CHECK(seen.p50.has_value() == (ended >= 5));
    CHECK(seen.p90.has_value() == (ended >= 9));
    const auto whole = *system.recovery();
    CHECK(whole.p50.has_value() == (ended >= 5));
    CHECK(whole.p90.has_value() == (ended >= 9));
    // One level down: the outage's end, and one dwell after it.
    if (seen.p50) CHECK(*whole.p50 == *seen.p50 + 10s);
    if (seen.p90) CHECK(*whole.p90 == *seen.p90 + 10s);
    system.run(39s);
    system.answers[number(dependency::database)] = health::up;
    system.run(10min);
    CHECK(system.component(dependency::database).outages == static_cast<std::uint64_t>(ended + 1));
  }
  CHECK(system.component(dependency::database).outage_time == 10 * 40s);
  system.begin(dependency::database);
  CHECK(system.recovery_of(dependency::database)->p50 == 40s);
  CHECK(system.recovery_of(dependency::database)->p90 == 40s);
  system.run(15s);
  CHECK(system.recovery_of(dependency::database)->p50 == 25s);  // given the time already elapsed
  CHECK(system.recovery()->p50 == 35s);
  CHECK(system.recovery_of(dependency::openai) == std::nullopt);
}

TEST_CASE("the level is the best again after a dwell for each step", "[system][exhaustive][D6][D6d]") {
  learning system;
  for (int i = 0; i < 9; ++i) system.outage(1);
  system.begin(dependency::database);
  for (int i = 0; i < 5; ++i) system.fail_call(dependency::openai);
  system.watched.refresh(system.clock.now());
  REQUIRE(system.snapshot().level == level::emergency);
  CHECK_FALSE(system.recovery()->p50);  // of the other nothing is known
  CHECK(system.recovery()->not_before == 30s + 40s);
  system.run(30s);  // it answers again, the database does not
  REQUIRE(system.state(dependency::openai) == circuit_state::closed);
  REQUIRE(system.snapshot().health_level == level::emergency);
  REQUIRE(system.snapshot().outlook.better_in == 10s);
  CHECK(system.recovery()->not_before == 10s + 40s);
  system.run(4s);  // of the dwell that has begun only the rest is to come
  CHECK(system.recovery()->not_before == 6s + 6s + 30s);
}

TEST_CASE("an outage that the best level can do without is not waited for", "[system][exhaustive][D6]") {
  learning system;
  for (int i = 0; i < 9; ++i) system.outage(1);
  system.begin(dependency::s3);  // 5 points of the 10 that the best level may miss, and nothing known of it
  REQUIRE_FALSE(system.recovery());
  system.begin(dependency::database);
  REQUIRE(system.recovery());
  CHECK(system.recovery()->p50 == 20s + 20s);  // two levels down
  system.begin(dependency::redis);
  CHECK_FALSE(system.recovery()->p50);
}

TEST_CASE("a required outage is waited for, however little it weighs", "[system][exhaustive][D6][H3]") {
  auto given = staging_options();
  given.dependencies[number(dependency::s3)].criticality = brownout::criticality::required;
  learning system{given};
  for (int i = 0; i < 9; ++i) system.outage(1);
  system.begin(dependency::s3);
  REQUIRE(system.recovery());
  system.begin(dependency::database);
  CHECK_FALSE(system.recovery()->p50);
}

TEST_CASE("what an operator ends is cut short, and says nothing of how long outages last",
          "[system][exhaustive][D6]") {
  learning system;
  for (int i = 0; i < 12; ++i) {
    system.begin(dependency::database);
    system.run(10s);
    auto& breaker = system.watched.described(dependency::database);
    if (i % 2 == 0) {
      breaker.force_open();
      system.watched.refresh(system.clock.now());
      CHECK_FALSE(system.component(dependency::database).outage_began);
      CHECK_FALSE(system.recovery_of(dependency::database));
    }
    breaker.reset();
    system.answers[number(dependency::database)] = health::up;
    system.run(10min);
    CHECK_FALSE(system.component(dependency::database).outage_began);
  }
  CHECK(system.component(dependency::database).outages == 0);
  CHECK(system.component(dependency::database).outage_time == 0s);
  system.begin(dependency::database);
  CHECK_FALSE(system.recovery_of(dependency::database)->p50);
}

TEST_CASE("while an operator holds the level, its recovery is not for health to say", "[system][D6]") {
  learning system;
  CHECK_FALSE(system.recovery());
  system.begin(dependency::database);
  REQUIRE(system.recovery());
  system.watched.set_override(
      {.level = level::minimal, .reason = "drill", .actor = "ada", .expires = system.clock.now() + 5s},
      system.clock.now());
  CHECK_FALSE(system.recovery());
  CHECK(system.recovery_of(dependency::database));  // the outage goes on all the same
  system.run(5s);
  CHECK(system.recovery());
}

TEST_CASE("before the first assessment there is nothing to recover from", "[system][D6]") {
  staging staging;
  static_cast<void>(staging.watched.step(staging.clock.now()));
  REQUIRE_FALSE(staging.snapshot().assessed);
  CHECK_FALSE(staging.snapshot().recovery);
}

TEST_CASE("while the score is unknown, only the earliest moment is known", "[system][D6][H2]") {
  auto given = staging_options();
  given.dependencies.resize(2);
  given.dependencies.push_back(given.dependencies[1]);
  given.dependencies.push_back(given.dependencies[1]);
  given.dependencies[2].name = "redis";
  given.dependencies[3].name = "s3";
  for (auto& one : given.dependencies) one.probe = {};
  staging system{given};
  for (int i = 0; i < 5; ++i) system.fail_call(dependency::openai);
  for (int i = 0; i < 3; ++i) system.fail_call(dependency::database);
  system.run(1s);
  REQUIRE(system.snapshot().level == level::emergency);
  system.run(40s);
  REQUIRE_FALSE(system.snapshot().score);
  REQUIRE(system.snapshot().recovery);
  CHECK_FALSE(system.snapshot().recovery->p50);
  CHECK_FALSE(system.snapshot().recovery->p90);
}

TEST_CASE("those who are turned away are told to come back at different times, within the limits",
          "[system][exhaustive][D6][D6f]") {
  learning system;
  const auto answers_between = [&](duration least, duration most) {
    std::set<duration> seen;
    for (int i = 0; i < 200; ++i) {
      const auto told = system.watched.retry_after(system.clock.now());
      CHECK(told >= least);
      CHECK(told < most);
      seen.insert(told);
    }
    CHECK(seen.size() > 190);
    CHECK(*seen.rbegin() - *seen.begin() > (most - least) / 2);
  };
  SECTION("nothing to recover from: the fallback") {
    answers_between(30s, 60s);
  }
  SECTION("unknown: when open period and dwell are over, or up to a quarter later") {
    system.begin(dependency::database);
    answers_between(30s, 37500ms);
  }
  SECTION("known: from p50 to p90, or ten seconds") {
    for (int i = 0; i < 9; ++i) system.outage(5);
    system.begin(dependency::database);
    answers_between(110s, 120s);
  }
  SECTION("longer than the longest: spread before it") {
    for (int i = 0; i < 9; ++i) system.outage(20);
    system.begin(dependency::database);
    answers_between(290s, 300s);
  }
}

TEST_CASE("the limits of the answer are the options'", "[system][D6]") {
  auto given = staging_options();
  given.retry_after = {.fallback = 2s, .shortest = 3s, .narrowest = 1s, .longest = 5s};
  staging system{given};
  system.run(1s);
  for (int i = 0; i < 100; ++i) {
    CHECK(system.watched.retry_after(system.clock.now()) >= 3s);
    CHECK(system.watched.retry_after(system.clock.now()) < 5s);
  }
}

TEST_CASE("two processes do not give the same answers in the same order", "[system][D6]") {
  staging one;
  staging other;
  int same = 0;
  for (int i = 0; i < 20; ++i)
    same += one.watched.retry_after(one.clock.now()) == other.watched.retry_after(other.clock.now());
  CHECK(same < 20);
}

TEST_CASE("nothing is predicted while what others stand on is unwell without an outage", "[system][D6]") {
  manual_clock clock;
  auto described = staging_options();
  for (auto& one : described.dependencies) one.probe = {};
  auto& database = described.dependencies[number(dependency::database)];
  database.weight = 0;
  database.measure = [] { return brownout::measurement{.success_share = 0.0}; };
  auto& openai = described.dependencies[number(dependency::openai)];
  openai.criticality = brownout::criticality::required;
  openai.depends_on = {"database"};
  openai.measure = [] { return brownout::measurement{.success_share = 1.0}; };
  supervisor watched{matrix, described, described.claims(), clock};
  static_cast<void>(watched.step(clock.now()));
  const auto seen = watched.snapshot(clock.now());
  REQUIRE(seen.score == 50);
  REQUIRE(seen.recovery);
  CHECK_FALSE(seen.recovery->p50);
  CHECK_FALSE(seen.recovery->p90);
}

TEST_CASE("under an override nobody is told to come back before its end", "[system][D6]") {
  staging staging;
  staging.run(1s);
  const auto now = staging.clock.now();
  staging.watched.set_override(
      {.level = level::minimal, .reason = "drill", .actor = "ada", .expires = now + 2min}, now);
  for (int i = 0; i < 50; ++i) CHECK(staging.watched.retry_after(now) >= 2min);
}
