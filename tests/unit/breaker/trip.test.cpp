// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/detector/failure_rate.hpp"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::transition_cause;
using brownout::transition_event;

namespace {

struct heard_bench : bench {
  explicit heard_bench(breaker_options options = {.open_for = 5s}) : bench{std::move(options)} {}

  std::vector<transition_event> heard;
  brownout::subscription listening =
      circuit.subscribe([this](const transition_event& event) { heard.push_back(event); });
};

}  // namespace

TEST_CASE("a circuit that is tripped opens as if its detector had tripped", "[breaker][B18][B18a]") {
  heard_bench bench;
  bench.fail(2);
  CHECK(bench.circuit.trip("health check"));
  CHECK(bench.state() == circuit_state::open);
  CHECK(bench.circuit.snapshot().open_period == 1);
  CHECK(bench.circuit.snapshot().retry_after == 5s);
  CHECK(bench.circuit.snapshot().last_failure.view() == "health check");
  CHECK(bench.circuit.snapshot().failed_results == 2);  // no call has failed

  REQUIRE(bench.heard.size() == 1);
  CHECK(bench.heard[0].cause == transition_cause::trip);
  CHECK(bench.heard[0].text.view() == "health check");
  CHECK(bench.heard[0].consecutive_failures == 2);
  CHECK(bench.heard[0].cycle == 1);

  SECTION("and recovers by probes") {
    bench.clock.advance(5s);
    bench.succeed();
    CHECK(bench.state() == circuit_state::closed);
    CHECK(bench.heard.back().outage_lasted == 5s);
    SECTION("in the same outage if it is tripped again soon") {
      CHECK(bench.circuit.trip());
      CHECK(bench.circuit.snapshot().open_period == 2);
      CHECK(bench.circuit.snapshot().last_failure.empty());
    }
  }
}

TEST_CASE("a circuit that is tripped waits for as long as it is told", "[breaker][B18][B18b]") {
  bench bench;
  CHECK(bench.circuit.trip("maintenance", 30s));
  CHECK(bench.circuit.snapshot().retry_after == 30s);
}

TEST_CASE("a circuit that is not closed is not tripped", "[breaker][B18][B18c]") {
  const auto state = GENERATE(circuit_state::half_open, circuit_state::open, circuit_state::forced_open,
                              circuit_state::disabled, circuit_state::metrics_only);
  bench bench;
  bench.drive_to(state);
  const auto before = bench.circuit.snapshot();
  CHECK_FALSE(bench.circuit.trip("health check", 1min));
  const auto after = bench.circuit.snapshot();
  CHECK(after.state == state);
  CHECK(after.epoch == before.epoch);
  CHECK(after.retry_after == before.retry_after);
  CHECK(after.last_failure.empty());
}

TEST_CASE("a circuit in metrics only says once that it would have opened", "[breaker][B17][B17e]") {
  heard_bench bench;
  bench.circuit.measure_only();
  auto in_flight = bench.acquire();
  bench.fail(2);
  CHECK(bench.heard.size() == 1);
  bench.clock.advance(7s);
  if (const bool by_hand = GENERATE(false, true); !by_hand) {
    CHECK(bench.acquire().complete(outcome::failure, {}, "third") == disposition::counted);
    REQUIRE(bench.heard.size() == 2);
    CHECK(bench.heard[1].cause == transition_cause::consecutive_failures);
    CHECK(bench.heard[1].consecutive_failures == 3);
    CHECK(bench.heard[1].text.view() == "third");
  } else {
    CHECK_FALSE(bench.circuit.trip("health check"));
    REQUIRE(bench.heard.size() == 2);
    CHECK(bench.heard[1].cause == transition_cause::trip);
    CHECK(bench.heard[1].consecutive_failures == 2);
    CHECK(bench.heard[1].text.view() == "health check");
  }
  CHECK(bench.heard[1].would_have_opened());
  CHECK(bench.heard[1].epoch == 1);
  CHECK(bench.heard[1].at == time_point{7s});
  CHECK(bench.heard[1].cycle == 0);

  // And nothing else happens: no epoch ends, the counts go on, calls in flight count.
  bench.succeed();
  bench.fail(10);
  CHECK(bench.heard.size() == 2);
  CHECK(bench.epoch() == 1);
  CHECK(bench.circuit.snapshot().consecutive_failures == 10);
  CHECK(in_flight.complete(outcome::success) == disposition::counted);

  SECTION("and once more when it is measured anew") {
    bench.circuit.reset();
    bench.circuit.measure_only();
    bench.fail(5);
    REQUIRE(bench.heard.size() == 5);
    CHECK(bench.heard[4].would_have_opened());
    CHECK(bench.heard[4].epoch == 3);
  }
}

TEST_CASE("no transition says that a circuit would have opened", "[breaker][B17]") {
  heard_bench bench;
  bench.circuit.measure_only();
  bench.circuit.reset();
  bench.trip();
  for (const auto& event : bench.heard) CHECK_FALSE(event.would_have_opened());
}

TEST_CASE("who listens late hears that the circuit would have opened at the next failure", "[breaker][B17]") {
  bench bench;
  bench.circuit.measure_only();
  bench.fail(5);
  std::vector<transition_event> heard;
  const auto listening =
      bench.circuit.subscribe([&](const transition_event& event) { heard.push_back(event); });
  CHECK(heard.empty());
  bench.fail(2);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].consecutive_failures == 6);
}

TEST_CASE("that a circuit would have opened is told in its epoch or not at all", "[breaker][B10][B17]") {
  using breaker = brownout::circuit_breaker<brownout::failure_rate<>, manual_clock, interrupted_atomics>;
  const bool fails_first = GENERATE(true, false);
  int told = 0;
  for (int access = 0;; ++access) {
    manual_clock clock;
    breaker circuit{brownout::failure_rate<>{.threshold = 1, .minimum_calls = 1, .window = {2}},
                    bench::plain({.open_for = 5s}), clock};
    std::vector<transition_event> heard;
    const auto listening = circuit.subscribe([&](const transition_event& event) { heard.push_back(event); });
    circuit.measure_only();
    auto failing = *circuit.try_acquire();
    const auto fail = [&] { static_cast<void>(failing.complete(outcome::failure)); };
    const auto reset = [&] { circuit.reset(); };
    interruption::action = [&] { fails_first ? reset() : fail(); };
    interruption::accesses_left = access;
    fails_first ? fail() : reset();
    interruption::accesses_left = -1;
    if (std::exchange(interruption::action, nullptr)) break;
    INFO("interrupted before access " << access);
    std::uint64_t epoch = 0;
    for (const auto& event : heard) {
      CHECK(event.epoch >= epoch);
      epoch = event.epoch;
      told += event.would_have_opened() ? 1 : 0;
    }
  }
  if (!fails_first) CHECK(told > 0);
}
