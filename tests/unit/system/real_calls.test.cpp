// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include "brownout/core/rules.hpp"

#include <cstdint>
#include <stdexcept>
#include <system_error>

using namespace system_test;

TEST_CASE("real calls and probes feed the same circuit", "[system][S1][S1e]") {
  staging staging;
  staging.run(1s);
  auto& database = staging.watched.described(dependency::database);
  CHECK(database.call([] { return 42; }) == 42);
  CHECK_THROWS_AS(database.call([] { throw std::runtime_error{"down"}; }), std::runtime_error);
  staging.fail_call(dependency::database);
  CHECK(staging.component(dependency::database).circuit.consecutive_failures == 2);

  SECTION("a failing probe is the third failure") {
    staging.answers[number(dependency::database)] = health::down;
    staging.run(9s);
    CHECK(staging.state(dependency::database) == circuit_state::open);
  }
  SECTION("a probe that succeeds ends the row") {
    staging.run(9s);
    CHECK(staging.component(dependency::database).circuit.consecutive_failures == 0);
    CHECK(staging.component(dependency::database).recent.calls == 5);  // two probes, three calls
    CHECK(staging.component(dependency::database).recent.successes == 3);
  }
  SECTION("while it refuses, real calls are told so") {
    staging.fail_call(dependency::database);
    const auto refused = database.try_call([] { return 1; });
    REQUIRE_FALSE(refused);
    CHECK(refused.rejection().retry_after == 20s);
    CHECK_THROWS_AS(database.call([] {}), brownout::call_rejected);
    CHECK(database.try_acquire().rejection() ==
          brownout::rejection{brownout::rejection_reason::circuit_open, 20s});
  }
}

TEST_CASE("real calls are judged as those of a breaker are, and what is ignored is no evidence",
          "[system][B7][S1]") {
  staging staging;
  staging.run(1s);
  auto& database = staging.watched.described(dependency::database);
  const auto before = staging.component(dependency::database).recent;
  const auto count = [&](std::uint32_t calls, std::uint32_t successes, std::uint32_t in_a_row) {
    staging.watched.refresh(staging.clock.now());
    const auto seen = staging.component(dependency::database);
    CHECK(seen.recent.calls == before.calls + calls);
    CHECK(seen.recent.successes == before.successes + successes);
    CHECK(seen.circuit.consecutive_failures == in_a_row);
  };
  const auto timed_out = [] { return std::make_error_code(std::errc::timed_out); };

  CHECK(database.call(timed_out) == std::errc::timed_out);
  count(1, 0, 1);
  CHECK(*database.try_call(timed_out, brownout::ignore_if([](std::error_code) { return true; })) ==
        std::errc::timed_out);
  count(1, 0, 1);
  CHECK_THROWS_AS(database.call([]() -> int { throw std::domain_error{"bad request"}; },
                                brownout::ignore_exceptions<std::domain_error>()),
                  std::domain_error);
  count(1, 0, 1);
  CHECK_THROWS_AS(database.call([]() -> int { throw std::domain_error{"no such row"}; },
                                brownout::success_exceptions<std::domain_error>()),
                  std::domain_error);
  count(2, 1, 0);
}

TEST_CASE("a circuit that real calls open is seen at the next step, and is off for features",
          "[system][D3]") {
  staging staging;
  staging.run(1s);
  for (int i = 0; i < 3; ++i) staging.fail_call(dependency::database);
  REQUIRE(staging.state(dependency::database) == circuit_state::open);

  const auto request = staging.watched.features();  // one snapshot for the whole of a request
  SECTION("refreshed by hand") {
    staging.watched.refresh(staging.clock.now());
  }
  SECTION("by the step that is due after the refresh interval") {
    CHECK(staging.next <= staging.clock.now() + 100ms);
    staging.run(100ms);
  }
  CHECK(request.available(feature::inventory_management));
  const auto now = staging.watched.features();
  CHECK_FALSE(now.available(feature::inventory_management));
  CHECK(now.explain(feature::inventory_management).allowed_by_level);
  CHECK(now.explain(feature::inventory_management).blocked_by == needs(dependency::database));
  CHECK(now.available(feature::read_only_access));
  CHECK(now.level() == level::degraded);
  CHECK(now.epoch() != request.epoch());
  REQUIRE(staging.snapshot().circuit_changes.size() == 1);
  CHECK(staging.snapshot().circuit_changes[0].to == circuit_state::open);
}

TEST_CASE("a circuit that real calls open is probed when its own period is over, not an interval later",
          "[system][S1]") {
  auto given = staging_options();
  given.probe_interval = given.suspect_interval = 10min;
  staging staging{given};
  staging.run(1s);
  for (int i = 0; i < 3; ++i) staging.fail_call(dependency::database);
  staging.run(20s - 1ms);
  CHECK(staging.state(dependency::database) == circuit_state::open);
  staging.run(101ms);
  CHECK(staging.state(dependency::database) == circuit_state::closed);
}

TEST_CASE("a circuit that a real call makes half-open is closed by probes, without more calls",
          "[system][S1]") {
  auto given = staging_options();
  given.probe_interval = given.suspect_interval = 10min;
  staging staging{given};
  staging.run(1s);
  auto& openai = staging.watched.described(dependency::openai);
  for (int i = 0; i < 5; ++i) staging.fail_call(dependency::openai);
  staging.clock.advance(30s);  // the supervisor sleeps over it
  openai.call([] {});
  REQUIRE(staging.state(dependency::openai) == circuit_state::half_open);
  staging.run(100ms);
  CHECK(staging.state(dependency::openai) == circuit_state::closed);
}

TEST_CASE("a circuit held open is not probed, and is once it is let go", "[system][B1]") {
  staging staging;
  staging.run(1s);
  staging.watched.described(dependency::redis).force_open();
  const auto before = staging.orders_of(dependency::redis);
  staging.run(60s);
  CHECK(staging.orders_of(dependency::redis) == before);
  staging.watched.described(dependency::redis).reset();
  staging.run(10s);
  CHECK(staging.orders_of(dependency::redis) == before + 1);
}

TEST_CASE("a dependency without a probe lives by real calls alone", "[system][exhaustive][S1]") {
  auto given = staging_options();
  given.dependencies[number(dependency::s3)].probe = nullptr;
  staging staging{given};
  staging.run(1s);
  CHECK(staging.orders.size() == 3);
  CHECK_FALSE(staging.component(dependency::s3).probed);
  CHECK(staging.snapshot().assessed);  // it is not waited for
  CHECK_FALSE(staging.component(dependency::s3).health.score);
  CHECK(staging.snapshot().score == 100);
  CHECK(staging.component(dependency::s3).health.weight == 0);
  CHECK(staging.component(dependency::s3).configured_weight == Approx(0.05));

  for (int i = 0; i < 4; ++i) staging.fail_call(dependency::s3);
  staging.run(1h);
  CHECK(staging.orders_of(dependency::s3) == 0);
  CHECK(staging.state(dependency::s3) == circuit_state::open);
  staging.watched.described(dependency::s3).call([] {});
  staging.watched.described(dependency::s3).call([] {});
  CHECK(staging.state(dependency::s3) == circuit_state::closed);
}

TEST_CASE("without a probe a dependency's features come back when its circuit would let a call through",
          "[system][D3]") {
  auto described = staging_options();
  described.dependencies[number(dependency::database)].probe = {};
  staging staging{described};
  staging.run(1s);
  for (int i = 0; i < 3; ++i) staging.fail_call(dependency::database);
  const auto offered = [&] { return staging.watched.features().available(feature::inventory_management); };
  staging.run(19s);
  CHECK_FALSE(offered());
  staging.run(1s);  // open for 20 s: nobody but a request can find out now
  CHECK(offered());
  staging.watched.described(dependency::database).call([] {});
  staging.run(1s);
  CHECK(staging.state(dependency::database) == circuit_state::closed);
  CHECK(offered());
}

TEST_CASE("a dependency that answers slower than its open period recovers under traffic", "[system][B5]") {
  auto described = staging_options();
  auto& database = described.dependencies[number(dependency::database)];
  database.breaker.open_for = 1s;
  database.probe = {};
  staging staging{described};
  auto& called = staging.watched.described(dependency::database);
  for (int i = 0; i < 3; ++i) staging.fail_call(dependency::database);
  staging.clock.advance(1s);
  auto probe = called.try_acquire();
  REQUIRE(probe);
  for (int i = 0; i < 15; ++i) {  // others keep asking while it runs
    staging.clock.advance(100ms);
    CHECK_FALSE(called.try_acquire());
  }
  CHECK(probe->complete(outcome::success) == brownout::disposition::counted);
  CHECK(staging.state(dependency::database) == circuit_state::closed);
}

TEST_CASE("left out, the lease of a dependency's probe is twice its timeout, or its open period",
          "[system][B5]") {
  auto described = staging_options();
  described.dependencies[number(dependency::openai)].timeout = 1min;
  described.dependencies[number(dependency::s3)].breaker.lease = 3s;
  staging staging{described};
  const auto lease = [&](dependency one) { return staging.watched.described(one).options().lease; };
  CHECK(lease(dependency::openai) == 2min);
  CHECK(lease(dependency::database) == 20s);
  CHECK(lease(dependency::s3) == 3s);
}

TEST_CASE("while the only probe is under way a feature is off: its call would be refused",
          "[system][D3][D3c]") {
  staging staging;
  staging.run(1s);
  for (int i = 0; i < 3; ++i) staging.fail_call(dependency::database);
  staging.answers[number(dependency::database)] = health::hangs;
  staging.run(21s);
  REQUIRE(staging.state(dependency::database) == circuit_state::half_open);
  REQUIRE_FALSE(staging.watched.described(dependency::database).try_acquire());
  CHECK_FALSE(staging.watched.features().available(feature::inventory_management));
  staging.report(staging.last_order_of(dependency::database), true);
  CHECK(staging.watched.features().available(feature::inventory_management));
}

TEST_CASE("an open circuit without a probe is unknown once its period is over, so the level lets it be tried",
          "[system][H2][H2c]") {
  auto described = staging_options();
  described.dependencies[number(dependency::openai)].probe = {};
  staging staging{described};
  staging.run(1s);
  for (int i = 0; i < 5; ++i) staging.fail_call(dependency::openai);
  staging.run(29s);
  CHECK(staging.component(dependency::openai).health.score == 0);
  CHECK(staging.snapshot().level != level::optimal);
  staging.run(1s);
  CHECK_FALSE(staging.component(dependency::openai).health.score);
  staging.run(60s);  // a dwell for each level
  CHECK(staging.snapshot().level == level::optimal);
}

TEST_CASE("a circuit held open before its first probe is known, and not waited for", "[system][H2]") {
  staging staging;
  staging.watched.described(dependency::database).force_open();
  staging.run(1s);
  CHECK(staging.snapshot().assessed);
  CHECK(staging.snapshot().score == 70);
  CHECK(staging.snapshot().level != level::emergency);
}
