// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

using namespace system_test;

TEST_CASE("changes that happened between two looks are filled in by the legal way", "[system]") {
  staging staging;
  staging.run(1s);
  auto& openai = staging.watched.described(dependency::openai);
  for (int i = 0; i < 5; ++i) staging.fail_call(dependency::openai);
  staging.clock.advance(30s);
  auto held = openai.try_acquire();
  REQUIRE(held);
  REQUIRE(staging.state(dependency::openai) == circuit_state::half_open);
  staging.watched.refresh(staging.clock.now());

  const auto changes = staging.snapshot().circuit_changes;
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].from == circuit_state::closed);
  CHECK(changes[0].to == circuit_state::open);
  CHECK(changes[1].from == circuit_state::open);
  CHECK(changes[1].to == circuit_state::half_open);
  CHECK(changes[1].at == staging.clock.now());
  const auto& counts = staging.component(dependency::openai).changes;
  CHECK(counts[static_cast<int>(circuit_state::closed)][static_cast<int>(circuit_state::open)] == 1);
  CHECK(counts[static_cast<int>(circuit_state::open)][static_cast<int>(circuit_state::half_open)] == 1);
}

TEST_CASE("a recovery between two looks went through half-open, a reset did not", "[system]") {
  staging staging;
  staging.run(1s);
  for (int i = 0; i < 3; ++i) staging.fail_call(dependency::database);
  staging.watched.refresh(staging.clock.now());
  SECTION("calls closed it") {
    staging.clock.advance(20s);
    staging.watched.described(dependency::database).call([] {});
    staging.watched.refresh(staging.clock.now());
    const auto changes = staging.snapshot().circuit_changes;
    REQUIRE(changes.size() == 3);
    CHECK(changes[1].to == circuit_state::half_open);
    CHECK(changes[2].from == circuit_state::half_open);
    CHECK(changes[2].to == circuit_state::closed);
  }
  SECTION("an operator closed it") {
    staging.watched.described(dependency::database).reset();
    staging.watched.refresh(staging.clock.now());
    const auto changes = staging.snapshot().circuit_changes;
    REQUIRE(changes.size() == 2);
    CHECK(changes[1].from == circuit_state::open);
    CHECK(changes[1].to == circuit_state::closed);
  }
}

TEST_CASE("every change that is told is legal, and each begins where the one before ended", "[system][B1]") {
  staging staging;
  staging.run(1s);
  auto& redis = staging.watched.described(dependency::redis);
  redis.force_open();
  staging.run(1s);
  redis.reset();
  for (int i = 0; i < 5; ++i) staging.fail_call(dependency::redis);
  staging.run(1s);
  redis.disable();
  staging.run(1s);
  redis.measure_only();
  staging.run(1s);
  redis.reset();
  staging.run(1s);

  auto last = circuit_state::closed;
  REQUIRE(staging.circuit_changes.size() >= 6);
  for (const auto& change : staging.circuit_changes) {
    CHECK(change.dependency == number(dependency::redis));
    CHECK(change.from == last);
    CHECK(brownout::initiator_of(change.from, change.to) != brownout::transition_initiator::none);
    last = change.to;
  }
  CHECK(last == circuit_state::closed);
}

TEST_CASE("a step tells what has changed since the last one, once", "[system]") {
  staging staging;
  staging.run(1s);
  staging.level_changes.clear();
  staging.answers[number(dependency::database)] = health::down;
  staging.run(60s);
  staging.answers[number(dependency::database)] = health::up;
  staging.run(60s);

  // closed, open, half-open, open, half-open, closed
  REQUIRE(staging.circuit_changes.size() >= 3);
  CHECK(staging.circuit_changes.front().to == circuit_state::open);
  CHECK(staging.circuit_changes.front().reason == "refused");
  CHECK(staging.circuit_changes.back().from == circuit_state::half_open);
  CHECK(staging.circuit_changes.back().to == circuit_state::closed);
  CHECK(staging.circuit_changes.back().reason.empty());
  CHECK(staging.circuit_changes.size() == staging.snapshot().circuit_changes.size());
  for (std::size_t i = 0; i < staging.circuit_changes.size(); ++i) {
    CHECK(staging.circuit_changes[i].at == staging.snapshot().circuit_changes[i].at);
  }
  REQUIRE(staging.level_changes.size() == 2);
  CHECK(staging.level_changes[0].cause == brownout::level_cause::health_fell);
  CHECK(staging.level_changes[1].cause == brownout::level_cause::health_recovered);
  const auto counts = staging.snapshot().level_changes;
  CHECK(counts[static_cast<int>(level::optimal)][static_cast<int>(level::degraded)] == 1);
  CHECK(counts[static_cast<int>(level::degraded)][static_cast<int>(level::optimal)] == 1);
  CHECK(counts[static_cast<int>(level::emergency)][static_cast<int>(level::optimal)] == 1);
  CHECK(counts.size() == 5);
}

TEST_CASE("an outage lasts from the first opening to the closing, failed probes included", "[system]") {
  staging staging;
  staging.run(1s);
  staging.answers[number(dependency::database)] = health::down;
  staging.run(64s);  // probes at 10, 20 and 30 s fail; it tries at 50 s and fails again
  CHECK(staging.component(dependency::database).outages == 0);  // none has ended
  staging.answers[number(dependency::database)] = health::up;
  staging.run(5s);  // at 70 s it recovers
  const auto seen = staging.component(dependency::database);
  CHECK(seen.circuit.state == circuit_state::closed);
  CHECK(seen.outages == 1);
  CHECK(seen.outage_time == 40s);
}

TEST_CASE("a snapshot shows whole outages: reason, beginning, end and failed tries", "[system]") {
  staging staging;
  staging.run(1s);
  CHECK(staging.component(dependency::database).last_outages.empty());
  staging.answers[number(dependency::database)] = health::down;
  staging.run(64s);  // probes at 10, 20 and 30 s fail; it tries at 50 s and fails again
  const auto lasting = staging.component(dependency::database).last_outages;
  REQUIRE(lasting.size() == 1);
  CHECK(lasting[0].number == 1);
  CHECK(lasting[0].began == staging.component(dependency::database).outage_began);
  CHECK_FALSE(lasting[0].ended);
  CHECK(lasting[0].reason == "refused");
  CHECK(lasting[0].failed_tries == 1);
  CHECK(lasting[0].last_try_at == lasting[0].began + 20s);
  staging.answers[number(dependency::database)] = health::up;
  staging.run(5s);  // at 70 s it recovers
  const auto over = staging.component(dependency::database).last_outages;
  REQUIRE(over.size() == 1);
  CHECK(over[0].ended == over[0].began + 40s);
  CHECK(over[0].failed_tries == 1);

  SECTION("an operator's hand ends one too") {
    for (int i = 0; i < 3; ++i) staging.fail_call(dependency::database);
    staging.run(1s);
    staging.watched.described(dependency::database).force_open();
    staging.run(1s);
    const auto cut_short = staging.component(dependency::database).last_outages;
    REQUIRE(cut_short.size() == 2);
    CHECK(cut_short[1].number == 2);
    CHECK(cut_short[1].ended);
  }
}

TEST_CASE("the tries of a long outage push no other outage out of a snapshot", "[system][exhaustive]") {
  staging staging;
  staging.run(1s);
  for (int i = 0; i < 3; ++i) staging.fail_call(dependency::database);
  staging.run(1s);
  staging.watched.described(dependency::database).reset();
  staging.answers[number(dependency::redis)] = health::down;
  staging.run(1h);
  CHECK(staging.snapshot().circuit_changes.front().dependency == number(dependency::redis));
  REQUIRE(staging.component(dependency::database).last_outages.size() == 1);
  CHECK(staging.component(dependency::redis).last_outages.size() == 1);
  CHECK(staging.component(dependency::redis).last_outages[0].failed_tries > 100);
}

TEST_CASE("a snapshot remembers the last 64 outages", "[system]") {
  staging staging;
  staging.run(1s);
  for (int i = 0; i < 70; ++i) {
    for (int failed = 0; failed < 3; ++failed) staging.fail_call(dependency::database);
    staging.run(1ms);
    staging.watched.described(dependency::database).reset();
    staging.run(1ms);
  }
  const auto seen = staging.component(dependency::database).last_outages;
  REQUIRE(seen.size() == 64);
  CHECK(seen.front().number == 7);
  CHECK(seen.back().number == 70);
}

TEST_CASE("a snapshot tells whether a call or a probe failed last", "[system]") {
  staging staging;
  staging.run(1s);
  CHECK_FALSE(staging.component(dependency::database).last_failure_was_probe);
  staging.answers[number(dependency::database)] = health::down;
  staging.run(10s);
  CHECK(staging.component(dependency::database).last_failure_was_probe);
  staging.answers[number(dependency::database)] = health::up;
  staging.run(10s);
  CHECK(staging.component(dependency::database).last_error.empty());
  CHECK(staging.component(dependency::database).last_failure_was_probe);  // a success changes nothing
  staging.clock.advance(1ms);
  staging.watched.described(dependency::database)
      .try_acquire()
      ->complete(outcome::failure, {}, "broken pipe");
  const auto seen = staging.component(dependency::database);
  CHECK(seen.circuit.last_failure.view() == "broken pipe");
  CHECK_FALSE(seen.last_failure_was_probe);
}

TEST_CASE("a snapshot remembers the last transitions and no more", "[system]") {
  staging staging;
  staging.run(1s);
  for (int i = 0; i < 100; ++i) {
    staging.watched.described(dependency::redis).force_open();
    staging.run(1ms);
    staging.watched.described(dependency::redis).reset();
    staging.run(1ms);
  }
  const auto seen = staging.snapshot();
  CHECK(seen.circuit_changes.size() == supervisor::remembered_transitions);
  CHECK(staging.circuit_changes.size() == 200);
  CHECK(seen.circuit_changes.back().to == circuit_state::closed);
  CHECK(seen.circuit_changes.back().at == staging.circuit_changes.back().at);
}
