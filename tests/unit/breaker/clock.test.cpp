// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <memory>

using namespace breaker_test;

namespace {

/// A manual clock that knows how often it was read.
struct counted_clock {
  manual_clock clock;
  std::shared_ptr<int> readings = std::make_shared<int>(0);

  [[nodiscard]] time_point now() const noexcept {
    ++*readings;
    return clock.now();
  }
};
static_assert(brownout::clock_source<counted_clock>);

}  // namespace

TEST_CASE("the clock is read once for a decision that a deadline takes part in, and else never",
          "[breaker][B3][B9][B9b]") {
  counted_clock clock;
  brownout::circuit_breaker circuit{consecutive_failures{2}, bench::plain({.open_for = 5s, .probes = 2}),
                                    clock};
  const auto readings_of = [&](auto&& action) {
    *clock.readings = 0;
    action();
    return *clock.readings;
  };
  const auto call = [&](outcome result) { static_cast<void>(circuit.try_acquire()->complete(result)); };

  CHECK(readings_of([&] { call(outcome::success); }) == 0);
  CHECK(readings_of([&] { call(outcome::ignored); }) == 0);
  CHECK(readings_of([&] { call(outcome::failure); }) == 0);  // counted, no decision
  CHECK(readings_of([&] { call(outcome::success); }) == 0);
  CHECK(readings_of([&] { call(outcome::failure); }) == 0);
  CHECK(readings_of([&] { call(outcome::failure); }) == 1);  // opens
  CHECK(readings_of([&] { CHECK_FALSE(circuit.try_acquire()); }) == 1);
  CHECK(readings_of([&] { static_cast<void>(circuit.snapshot()); }) == 1);
  clock.clock.advance(5s);
  CHECK(readings_of([&] { call(outcome::success); }) ==
        1);  // the admission; a success of two decides nothing
  CHECK(readings_of([&] { call(outcome::success); }) == 2);  // the admission; the closing
  CHECK(readings_of([&] { circuit.force_open(); }) == 1);
  CHECK(readings_of([&] { CHECK_FALSE(circuit.try_acquire()); }) == 0);  // an operator decides, no deadline
  CHECK(readings_of([&] { circuit.disable(); }) == 1);
  CHECK(readings_of([&] { call(outcome::failure); }) == 0);
  CHECK(readings_of([&] { static_cast<void>(circuit.observed_state()); }) == 0);
}

TEST_CASE("while the clock stands still nothing is over, and nothing goes wrong", "[breaker][B9]") {
  bench bench;
  for (int round = 0; round < 40; ++round) {  // more epochs than a moment's key tells apart
    bench.trip();
    CHECK_FALSE(bench.circuit.try_acquire());
    CHECK(bench.circuit.snapshot().retry_after == 5s);
    bench.circuit.reset();
    bench.circuit.force_open();
    CHECK_FALSE(bench.circuit.try_acquire());
    bench.circuit.reset();
    bench.succeed();
  }
  CHECK(bench.epoch() == 160);
  CHECK(bench.circuit.snapshot().since == time_point{});
}

TEST_CASE("every one of many epochs has its own open period", "[breaker][B9]") {
  bench bench{{.open_for = 5s, .probes = 1}};
  bench.trip();
  for (int round = 0; round < 100; ++round) {
    bench.clock.advance(5s - 1ns);
    REQUIRE_FALSE(bench.circuit.try_acquire());
    bench.clock.advance(1ns);
    REQUIRE(bench.report(outcome::failure) == disposition::counted);
    REQUIRE(bench.state() == circuit_state::open);
    REQUIRE(bench.circuit.snapshot().retry_after == 5s);
  }
}

TEST_CASE("a clock that jumps years ahead ends an open period, once", "[breaker][B9]") {
  bench bench{{.open_for = 5s, .probes = 1}};
  bench.trip();
  bench.clock.advance(24h * 365 * 100);
  auto probe = bench.acquire();
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(probe.complete(outcome::failure) == disposition::counted);
  CHECK(bench.circuit.snapshot().retry_after == 5s);
  CHECK(bench.circuit.snapshot().since == time_point{24h * 365 * 100});
}

TEST_CASE("a clock that is set back against its contract delays recovery, and breaks nothing",
          "[breaker][B9]") {
  bench bench{{.open_for = 5s, .probes = 1}, 3, time_point{2h}};
  bench.clock.advance(10s);
  bench.trip();

  SECTION("by less than has passed") {
    bench.clock.set(time_point{2h + 9s});
  }
  SECTION("to before the breaker was built") {
    bench.clock.set(time_point{1h});
  }
  // As if the period had just begun: nobody is told to wait for longer than that.
  CHECK(bench.circuit.try_acquire().rejection() == rejection{rejection_reason::circuit_open, 5s});
  bench.clock.set(time_point{2h + 15s - 1ns});
  CHECK_FALSE(bench.circuit.try_acquire());
  bench.clock.set(time_point{2h + 15s});
  CHECK(bench.report(outcome::success) == disposition::counted);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("a transition before the breaker's own beginning still has an open period", "[breaker][B9]") {
  bench bench{{.open_for = 5s, .probes = 1}, 3, time_point{2h}};
  bench.clock.set(time_point{1h});
  bench.trip();
  CHECK_FALSE(bench.circuit.try_acquire());
  bench.clock.set(time_point{2h + 5s});
  CHECK(bench.circuit.try_acquire());
}

TEST_CASE("no deadline survives a reset", "[breaker][B9][B9c]") {
  bench bench{{.open_for = 5s, .probes = 1}};
  bench.trip();
  bench.clock.advance(4s);
  bench.circuit.reset();
  bench.trip();
  bench.clock.advance(1s);  // where the first open period would have ended
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().retry_after == 4s);
}

TEST_CASE("an open period that begins between two microseconds is never short and at most one too long",
          "[breaker][B9][B9d]") {
  bench bench{{.open_for = 5s, .probes = 1}};
  bench.clock.advance(999ns);
  bench.trip();
  bench.clock.advance(5s);
  CHECK_FALSE(bench.circuit.try_acquire());  // one nanosecond of rounding
  bench.clock.advance(1us);
  CHECK(bench.circuit.try_acquire());
}
