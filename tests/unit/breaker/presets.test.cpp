// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/breaker/preset.hpp"
#include "brownout/detector/any_of.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

// What each preset promises, by the rules that the tests of its original hold it to: resilience4j's
// CircuitBreakerStateMachineTest and CircuitBreakerMetricsTest, Polly's AdvancedCircuitBehaviorTests and
// CircuitStateControllerTests, gobreaker's TestDefaultCircuitBreaker, HystrixCircuitBreakerTest.

using namespace breaker_test;
using brownout::any_of;
using brownout::failure_rate;
using brownout::slow_call_rate;
namespace presets = brownout::presets;

namespace {

template <class Detector>
struct preset_bench {
  using breaker = brownout::circuit_breaker<Detector, manual_clock>;

  explicit preset_bench(brownout::preset<Detector> from)
      : circuit{from.detector, std::move(from.options), clock} {}

  typename breaker::permit acquire() {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    return *std::move(admitted);
  }
  void report(outcome result, int times = 1) {
    for (int i = 0; i < times; ++i) CHECK(acquire().complete(result) == disposition::counted);
  }
  void succeed(int times = 1) { report(outcome::success, times); }
  void fail(int times = 1) { report(outcome::failure, times); }
  [[nodiscard]] bool refuses() { return !circuit.try_acquire(); }
  [[nodiscard]] circuit_state state() const { return circuit.observed_state(); }

  /// Refused for as long as the original says, and not a moment longer.
  void wait_out(duration open_for) {
    REQUIRE(state() == circuit_state::open);
    clock.advance(open_for - 1ns);
    CHECK(refuses());
    clock.advance(1ns);
  }

  manual_clock clock;
  breaker circuit;
};
template <class Detector>
preset_bench(brownout::preset<Detector>) -> preset_bench<Detector>;

}  // namespace

TEST_CASE("as resilience4j: 50 % failures of the latest 100 calls open for 60 s", "[breaker][preset]") {
  preset_bench bench{presets::resilience4j("r4j")};
  CHECK(bench.circuit.name() == "r4j");
  SECTION("no failure rate before the window is full") {
    bench.fail(99);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  SECTION("at the threshold") {
    bench.succeed(50);
    bench.fail(49);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  SECTION("below the threshold, until successes have left the window") {
    bench.succeed(51);
    bench.fail(49);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();  // the first success is no more among the latest 100
  }
  bench.wait_out(60s);
  bench.succeed();
  CHECK(bench.state() == circuit_state::half_open);
}

TEST_CASE("as resilience4j: half-open, ten calls pass, and their failure rate decides when all are in",
          "[breaker][preset][B4][B12]") {
  preset_bench bench{presets::resilience4j()};
  bench.fail(100);
  bench.wait_out(60s);

  SECTION("ten may be in flight at once, and no other call before they have decided") {
    std::vector<decltype(bench)::breaker::permit> held;
    for (int i = 0; i < 10; ++i) held.push_back(bench.acquire());
    CHECK(bench.refuses());
    for (int i = 0; i < 9; ++i) {
      CHECK(held.back().complete(i < 4 ? outcome::failure : outcome::success) == disposition::counted);
      held.pop_back();
      CHECK(bench.refuses());
    }
    CHECK(held.back().complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("fewer failures than the threshold close the circuit, in whatever order they come") {
    const auto first = GENERATE(0, 1, 6);
    for (int i = 0; i < 10; ++i) {
      if (i > 0) CHECK(bench.state() == circuit_state::half_open);
      bench.report(i >= first && i < first + 4 ? outcome::failure : outcome::success);
    }
    CHECK(bench.state() == circuit_state::closed);
    CHECK(bench.circuit.snapshot().calls == 0);  // the metrics are reset
    bench.fail(99);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("failures at the threshold open it for another 60 s, even if the last call succeeds") {
    bench.fail(5);
    CHECK(bench.state() == circuit_state::half_open);
    bench.succeed(5);
    bench.wait_out(60s);
    bench.succeed(10);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("an ignored call gives its permission back and does not count") {
    bench.succeed(9);
    for (int i = 0; i < 40; ++i) CHECK(bench.acquire().complete(outcome::ignored) == disposition::released);
    CHECK(bench.state() == circuit_state::half_open);
    bench.fail();
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("with every fifth call failing it closes after two seconds at five calls a second") {
    const auto back = bench.clock.now();
    for (int call = 0; bench.state() != circuit_state::closed && call < 10'000; ++call) {
      auto admitted = bench.circuit.try_acquire();
      if (admitted) {
        CHECK(admitted->complete(call % 5 == 4 ? outcome::failure : outcome::success) ==
              disposition::counted);
      }
      bench.clock.advance(200ms);
    }
    CHECK(bench.clock.now() - back == 2s);
  }
}

TEST_CASE("as resilience4j: half-open, the share of slow calls decides too", "[breaker][preset][B12]") {
  const auto from = presets::resilience4j();
  preset_bench bench{brownout::preset<any_of<failure_rate<>, slow_call_rate<>>>{
      {from.detector, slow_call_rate<>{.threshold = 1, .slower_than = 60s, .minimum_calls = 100}},
      from.options}};
  const auto report_after = [&](duration took, int times) {
    for (int i = 0; i < times; ++i) {
      auto permit = bench.acquire();
      bench.clock.advance(took);
      CHECK(permit.complete(outcome::success) == disposition::counted);
    }
  };
  bench.fail(100);
  bench.wait_out(60s);
  SECTION("at the threshold: all of ten") {
    report_after(60s + 1ns, 10);
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("below the threshold") {
    report_after(60s + 1ns, 9);
    report_after(60s, 1);
    CHECK(bench.state() == circuit_state::closed);
  }
}

TEST_CASE("as Polly: 10 % failures of at least 100 calls in 30 s open for 5 s, one probe decides",
          "[breaker][preset]") {
  preset_bench bench{presets::polly("polly")};
  CHECK(bench.circuit.name() == "polly");
  SECTION("less than the minimum throughput") {
    bench.fail(99);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  SECTION("at the ratio") {
    bench.succeed(90);
    bench.fail(9);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  SECTION("calls of more than 30 s ago are forgotten") {
    bench.fail(99);
    bench.clock.advance(31s);
    bench.fail(99);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  bench.wait_out(5s);
  {
    auto probe = bench.acquire();
    CHECK(bench.refuses());
    CHECK(probe.complete(outcome::failure) == disposition::counted);
  }
  bench.wait_out(5s);
  bench.succeed();
  CHECK(bench.state() == circuit_state::closed);
  CHECK(bench.circuit.snapshot().calls == 0);
}

TEST_CASE("as gobreaker: more than five failures in a row open for 60 s, one probe decides",
          "[breaker][preset]") {
  preset_bench bench{presets::gobreaker("go")};
  CHECK(bench.circuit.name() == "go");
  auto of_an_earlier_generation = bench.acquire();
  bench.fail(5);
  CHECK(bench.state() == circuit_state::closed);
  bench.succeed();
  bench.fail(5);
  CHECK(bench.state() == circuit_state::closed);
  bench.fail();
  bench.wait_out(60s);
  {
    auto probe = bench.acquire();
    CHECK(bench.refuses());
    CHECK(probe.complete(outcome::failure) == disposition::counted);
  }
  bench.wait_out(60s);
  bench.succeed();
  CHECK(bench.state() == circuit_state::closed);
  CHECK(of_an_earlier_generation.complete(outcome::failure) == disposition::late);
  CHECK(bench.circuit.snapshot().consecutive_failures == 0);
}

TEST_CASE("as Hystrix: 50 % failures of at least 20 calls in 10 s open for 5 s, a single test decides",
          "[breaker][preset]") {
  preset_bench bench{presets::hystrix("hystrix")};
  CHECK(bench.circuit.name() == "hystrix");
  SECTION("low volume does not trip") {
    bench.fail(19);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  SECTION("failures below the threshold do not trip") {
    bench.succeed(11);
    bench.fail(9);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail(2);  // 11 of 22
  }
  SECTION("a bad request says nothing") {
    bench.fail(19);
    for (int i = 0; i < 100; ++i) CHECK(bench.acquire().complete(outcome::ignored) == disposition::released);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  for (int window = 0; window < 2; ++window) {
    bench.wait_out(5s);
    auto single_test = bench.acquire();
    CHECK(bench.refuses());
    CHECK(single_test.complete(outcome::failure) == disposition::counted);
    CHECK(bench.refuses());
  }
  bench.wait_out(5s);
  bench.succeed();
  CHECK(bench.state() == circuit_state::closed);
  bench.fail(19);  // the rolling window is cleared
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("unlike resilience4j and Hystrix, a success opens no circuit: the next failure does",
          "[breaker][preset]") {
  const auto opens_at_next_failure = [](auto bench, int calls) {
    bench.fail(calls / 2 + 1);
    bench.succeed(calls - calls / 2 - 1);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
    CHECK(bench.state() == circuit_state::open);
  };
  opens_at_next_failure(preset_bench{presets::resilience4j()}, 100);
  opens_at_next_failure(preset_bench{presets::hystrix()}, 20);
}

TEST_CASE("unlike the originals, no preset waits for ever for a probe that is lost",
          "[breaker][preset][B5]") {
  const auto frees_itself = [](auto bench, int failures, int probes) {
    bench.fail(failures);
    bench.clock.advance(1min);
    std::vector<typename decltype(bench)::breaker::permit> lost;
    for (int i = 0; i < probes; ++i) lost.push_back(bench.acquire());
    CHECK(bench.refuses());
    bench.clock.advance(1min);
    bench.succeed(probes);
    CHECK(bench.state() == circuit_state::closed);
    for (auto& one : lost) CHECK(one.complete(outcome::failure) == disposition::late);
  };
  frees_itself(preset_bench{presets::resilience4j()}, 100, 10);
  frees_itself(preset_bench{presets::polly()}, 100, 1);
  frees_itself(preset_bench{presets::gobreaker()}, 6, 1);
  frees_itself(preset_bench{presets::hystrix()}, 20, 1);
}
