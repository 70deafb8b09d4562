// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/core/rules.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"

#include <utility>
#include <vector>

using namespace breaker_test;

namespace {

/// A breaker that opens at the third failure for 5 s, or at once when it is told to wait.
struct told_bench : bench {
  explicit told_bench(breaker_options options = {.open_for = 5s}) : bench{with_option(std::move(options))} {}

  static breaker_options with_option(breaker_options options) {
    options.open_on_retry_after = true;
    return options;
  }
  disposition report(outcome result, duration retry_after = {}) {
    return acquire().complete(result, retry_after);
  }
  [[nodiscard]] duration left() const { return circuit.snapshot().retry_after; }
};

}  // namespace

TEST_CASE("a failure that says how long to wait opens the circuit at once, where that is wanted",
          "[breaker][B12][B12j]") {
  told_bench bench;
  SECTION("for as long as it says") {
    CHECK(bench.report(outcome::failure, 20s) == disposition::counted);
    CHECK(bench.state() == circuit_state::open);
    CHECK(bench.left() == 20s);
    CHECK(bench.circuit.snapshot().failed_results == 1);
    bench.clock.advance(20s - 1ns);
    CHECK(bench.circuit.try_acquire().rejection() == rejection{rejection_reason::circuit_open, 1ns});
    bench.clock.advance(1ns);
    CHECK(bench.acquire().is_probe());
  }
  SECTION("at least for the open period, at most for 5 minutes") {
    const auto [said, refused] = GENERATE(table<duration, duration>(
        {{1ns, 5s}, {5s, 5s}, {5s + 1ns, 5100ms}, {5min, 5min}, {24h, 5min}, {duration::max(), 5min}}));
    bench.report(outcome::failure, said);
    CHECK(bench.left() == refused);
  }
  SECTION("among successes") {
    bench.succeed(100);
    bench.report(outcome::failure, 20s);
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("a call that returned such an answer") {
    struct response {
      int status;
      std::chrono::seconds retry_after;
    };
    const brownout::first_match classify{
        brownout::failure_if([](const response& seen) { return seen.status == 429; }),
        brownout::retry_after_from(&response::retry_after)};
    CHECK(bench.circuit.call([] { return response{200, 20s}; }, classify).status == 200);
    CHECK(bench.state() == circuit_state::closed);
    CHECK(bench.circuit.call([] { return response{429, 20s}; }, classify).status == 429);
    CHECK(bench.left() == 20s);
  }
}

TEST_CASE("what does not say how long to wait opens the circuit as ever", "[breaker][B12]") {
  told_bench bench;
  SECTION("a failure without a wait") {
    bench.report(outcome::failure);
    bench.report(outcome::failure, -20s);
    CHECK(bench.state() == circuit_state::closed);
    bench.report(outcome::failure);
    CHECK(bench.left() == 5s);
  }
  SECTION("a wait without a failure") {
    const auto result = GENERATE(outcome::success, outcome::ignored, outcome::cancelled);
    bench.report(result, 20s);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("a failure that comes late") {
    auto late = bench.acquire();
    bench.circuit.reset();
    CHECK(late.complete(outcome::failure, 20s) == disposition::late);
    CHECK(bench.state() == circuit_state::closed);
  }
}

TEST_CASE("a state that an operator holds is not left on account of a wait", "[breaker][B12]") {
  told_bench bench;
  SECTION("metrics only: counted, and never opened") {
    bench.circuit.measure_only();
    CHECK(bench.report(outcome::failure, 20s) == disposition::counted);
    CHECK(bench.state() == circuit_state::metrics_only);
    CHECK(bench.circuit.snapshot().consecutive_failures == 1);
  }
  SECTION("disabled") {
    bench.circuit.disable();
    CHECK(bench.report(outcome::failure, 20s) == disposition::released);
    CHECK(bench.state() == circuit_state::disabled);
  }
}

TEST_CASE("a half-open circuit that is told to wait opens again", "[breaker][B12]") {
  SECTION("by a probe, with or without the option") {
    const bool wanted = GENERATE(false, true);
    bench bench{{.open_for = 5s, .open_on_retry_after = wanted, .probes = 2}};
    auto probe = bench.first_probe();
    CHECK(probe.complete(outcome::failure, 20s) == disposition::counted);
    CHECK(bench.state() == circuit_state::open);
    CHECK(bench.circuit.snapshot().retry_after == 20s);
  }
  SECTION("on the ramp at once with the option; without it only the limit falls") {
    const bool wanted = GENERATE(false, true);
    manual_clock clock;
    tested_breaker circuit{
        consecutive_failures{1},
        {.open_for = 5s, .open_on_retry_after = wanted, .successes = 1, .ramp = {.first = 6}},
        clock};
    const auto report = [&](outcome result, duration retry_after = {}) {
      return circuit.try_acquire()->complete(result, retry_after);
    };
    report(outcome::failure);
    clock.advance(5s);
    report(outcome::success);
    REQUIRE(circuit.snapshot().in_flight_limit == 6);
    report(outcome::failure);
    CHECK(circuit.snapshot().in_flight_limit == 5);
    CHECK(report(outcome::failure, 20s) == disposition::counted);
    CHECK(circuit.observed_state() == (wanted ? circuit_state::open : circuit_state::half_open));
    CHECK(circuit.snapshot().retry_after == (wanted ? 20s : 0s));
    CHECK(circuit.snapshot().open_period == (wanted ? 2 : 0));  // of the same outage
  }
}

TEST_CASE("probes that decide together open again at once when one is told to wait, where that is wanted",
          "[breaker][B12]") {
  const bool wanted = GENERATE(false, true);
  manual_clock clock;
  tested_breaker circuit{consecutive_failures{1},
                         {.open_for = 5s,
                          .open_on_retry_after = wanted,
                          .probes = 4,
                          .probe_rate = {.calls = 4, .failure_threshold = 0.5},
                          .ramp = brownout::no_ramp},
                         clock};
  circuit.try_acquire()->complete(outcome::failure);
  clock.advance(5s);
  CHECK(circuit.try_acquire()->complete(outcome::failure, 20s) == disposition::counted);
  CHECK(circuit.observed_state() == (wanted ? circuit_state::open : circuit_state::half_open));
  CHECK(circuit.snapshot().retry_after == (wanted ? 20s : 0s));
}

TEST_CASE("a wait that came with a success says nothing, even if the call was too slow",
          "[breaker][B12][B12k]") {
  manual_clock clock;
  brownout::circuit_breaker circuit{
      brownout::slow_call_rate<brownout::count_window>{.slower_than = 1s, .minimum_calls = 2, .window = {2}},
      {.open_for = 5s, .open_on_retry_after = true, .successes = 1, .ramp = {.first = 6}},
      clock};
  const auto succeed_slowly = [&](duration retry_after) {
    auto admitted = circuit.try_acquire();
    clock.advance(2s);
    return admitted->complete(outcome::success, retry_after);
  };
  succeed_slowly(20s);
  CHECK(circuit.observed_state() == circuit_state::closed);
  succeed_slowly(20s);
  CHECK(circuit.snapshot().retry_after == 5s);
  clock.advance(5s);
  succeed_slowly(20s);
  CHECK(circuit.snapshot().retry_after == 5s);
  clock.advance(5s);
  circuit.call([] {});
  REQUIRE(circuit.snapshot().in_flight_limit == 6);
  succeed_slowly(20s);
  CHECK(circuit.snapshot().in_flight_limit == 5);
}

TEST_CASE("a window has counted the failure that says how long to wait", "[breaker][B12]") {
  manual_clock clock;
  brownout::circuit_breaker circuit{
      brownout::failure_rate<brownout::count_window>{.minimum_calls = 10, .window = {10}},
      {.open_for = 5s, .open_on_retry_after = true, .successes = 1, .ramp = brownout::no_ramp},
      clock};
  for (int i = 0; i < 20; ++i) circuit.call([] {});
  CHECK(circuit.try_acquire()->complete(outcome::failure, 20s) == disposition::counted);
  CHECK(circuit.observed_state() == circuit_state::open);
  clock.advance(20s);
  circuit.call([] {});
  CHECK(circuit.observed_state() == circuit_state::closed);
  CHECK(circuit.snapshot().calls == 0);
}

TEST_CASE("opening on a wait begins an outage, and listeners hear of it", "[breaker][B10][B12]") {
  told_bench bench;
  std::vector<circuit_state> heard;
  const auto listening =
      bench.circuit.subscribe([&](const brownout::transition_event& event) { heard.push_back(event.to); });
  bench.report(outcome::failure, 20s);
  CHECK(heard == std::vector{circuit_state::open});
  CHECK(bench.circuit.snapshot().open_period == 1);
}

TEST_CASE("whether a wait opens the circuit can be changed while it is in use", "[breaker][B12][B13]") {
  bench bench{{.open_for = 5s}};
  CHECK_FALSE(bench.circuit.options().open_on_retry_after);
  CHECK(bench.acquire().complete(outcome::failure, 20s) == disposition::counted);
  CHECK(bench.state() == circuit_state::closed);
  auto options = bench.circuit.options();
  options.open_on_retry_after = true;
  bench.circuit.reconfigure(options);
  CHECK(bench.circuit.options().open_on_retry_after);
  CHECK(bench.acquire().complete(outcome::failure, 20s) == disposition::counted);
  CHECK(bench.circuit.snapshot().retry_after == 20s);
}
