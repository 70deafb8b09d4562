// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <utility>

using namespace breaker_test;

TEST_CASE("a success between failures starts the count again", "[breaker][B8]") {
  bench bench;
  bench.fail(2);
  bench.succeed();
  CHECK(bench.circuit.snapshot().consecutive_failures == 0);
  bench.fail(2);
  CHECK(bench.state() == circuit_state::closed);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("a success counts although failures came while it ran", "[breaker][B8]") {
  bench bench;
  auto success = bench.acquire();  // admitted with no failures in sight
  bench.fail(2);
  CHECK(success.complete(outcome::success) == disposition::counted);
  CHECK(bench.circuit.snapshot().consecutive_failures == 0);
}

TEST_CASE("a threshold of one opens at the first failure", "[breaker][B8][T2]") {
  bench bench{bench::defaults(), 1};
  bench.succeed(5);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("rejections are counted apart and never as failures", "[breaker][B7][B7a]") {
  bench bench;
  bench.trip();
  for (int i = 0; i < 10; ++i) CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().rejections == 10);
  CHECK(bench.epoch() == 1);

  bench.clock.advance(5s);
  auto first = bench.acquire();
  auto second = bench.acquire();
  for (int i = 0; i < 10; ++i) CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().rejections == 20);
  CHECK(bench.state() == circuit_state::half_open);
  CHECK(first.complete(outcome::success) == disposition::counted);
  CHECK(second.complete(outcome::success) == disposition::counted);
  CHECK(bench.state() == circuit_state::closed);
  CHECK(bench.circuit.snapshot().rejections == 20);

  bench.circuit.force_open();
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().rejections == 21);
}

TEST_CASE("ignored and cancelled calls count as nothing", "[breaker][B7][B7b]") {
  const auto nothing = GENERATE(outcome::ignored, outcome::cancelled);
  bench bench;
  SECTION("closed: neither as a failure nor as the success that ends a row") {
    bench.fail(2);
    for (int i = 0; i < 5; ++i) CHECK(bench.report(nothing) == disposition::released);
    CHECK(bench.circuit.snapshot().consecutive_failures == 2);
    bench.fail();
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("half-open: neither opens nor closes") {
    static_cast<void>(bench.first_probe());
    for (int i = 0; i < 5; ++i) CHECK(bench.report(nothing) == disposition::released);
    CHECK(bench.state() == circuit_state::half_open);
    CHECK(bench.circuit.snapshot().probes_succeeded == 0);
    CHECK(bench.circuit.snapshot().probes_in_flight == 0);
  }
  SECTION("held") {
    bench.circuit.measure_only();
    bench.fail();
    CHECK(bench.report(nothing) == disposition::released);
    CHECK(bench.circuit.snapshot().consecutive_failures == 1);
  }
  CHECK(bench.circuit.snapshot().late_results == 0);
}

TEST_CASE("a permit that is dropped on a closed circuit counts as nothing", "[breaker][B7]") {
  bench bench;
  bench.fail(2);
  static_cast<void>(bench.acquire());
  CHECK(bench.circuit.snapshot().consecutive_failures == 2);
  CHECK(bench.circuit.snapshot().late_results == 0);
}

TEST_CASE("failures before an outage weigh nothing after it", "[breaker][B8][B8a]") {
  bench bench{{.open_for = 5s, .probes = 1}};
  CHECK(bench.first_probe().complete(outcome::success) == disposition::counted);
  CHECK(bench.circuit.snapshot().consecutive_failures == 0);
  bench.fail(2);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("reading cuts no statistics", "[breaker][B8][B8c]") {
  bench bench;
  bench.fail(2);
  for (int i = 0; i < 5; ++i) static_cast<void>(bench.circuit.snapshot());
  CHECK(bench.circuit.snapshot().consecutive_failures == 2);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("metrics only counts up to its limit and stays there", "[breaker][exhaustive][B8]") {
  bench bench;
  bench.circuit.measure_only();
  bench.fail(2);
  CHECK(bench.circuit.snapshot().consecutive_failures == 2);
  for (std::uint32_t i = 2; i < consecutive_failures::most + 3; ++i) {
    auto admitted = bench.circuit.try_acquire();
    static_cast<void>(admitted->complete(outcome::failure));
  }
  CHECK(bench.circuit.snapshot().consecutive_failures == consecutive_failures::most);
  CHECK(bench.state() == circuit_state::metrics_only);
}

TEST_CASE("the highest threshold trips at its last failure", "[breaker][exhaustive][B8]") {
  bench bench{bench::defaults(), consecutive_failures::most};
  for (std::uint32_t i = 0; i + 1 < consecutive_failures::most; ++i) {
    auto admitted = bench.circuit.try_acquire();
    static_cast<void>(admitted->complete(outcome::failure));
  }
  CHECK(bench.state() == circuit_state::closed);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}
