// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/recovering.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace breaker_test;
using brownout::call_rejected;

TEST_CASE("a call is carried no longer than its probe lasts", "[breaker][B4][B5][B16]") {
  recovering bench;
  SECTION("after the outer call has returned") {
    bench.circuit.call([] { return outcome::ignored; });
  }
  SECTION("after the outer call has thrown") {
    CHECK_THROWS_AS(bench.circuit.call([] { throw call_rejected{{}}; }), call_rejected);
  }
  REQUIRE(bench.places_taken() == 0);
  auto by_hand = bench.acquire();
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK_FALSE(bench.circuit.try_call(answer));
}

TEST_CASE("a probe that was given up as lost carries no call", "[breaker][B5][B16]") {
  recovering bench;
  SECTION("another caller has the fresh probe: refused, and the outer call comes late") {
    std::optional<tested_breaker::permit> fresh;
    bench.circuit.call([&] {
      bench.clock.advance(2s);
      elsewhere([&] { fresh = bench.acquire(); });
      CHECK_FALSE(bench.circuit.try_call(answer));
    });
    CHECK(bench.circuit.snapshot().late_results == 1);
    CHECK(fresh->complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("the inner call is the fresh probe itself") {
    bench.circuit.call([&] {
      bench.clock.advance(2s);
      bench.circuit.call([&] { CHECK(bench.circuit.call(answer) == 42); });
      CHECK(bench.state() == circuit_state::closed);
    });
    CHECK(bench.circuit.snapshot().late_results == 1);
  }
  SECTION("the inner call is the fresh probe, and what comes after it is refused while another holds it") {
    bench.circuit.call([&] {
      bench.clock.advance(2s);
      bench.circuit.call([] { return outcome::ignored; });
      std::optional<tested_breaker::permit> other;
      elsewhere([&] { other = bench.acquire(); });
      CHECK_FALSE(bench.circuit.try_call(answer));
    });
  }
}

TEST_CASE("a call within a call is refused when the circuit has opened meanwhile", "[breaker][B16]") {
  recovering bench{{.open_for = 5s, .probes = 2, .successes = 2, .lease = 2s}};
  bench.circuit.call([&] {
    bench.acquire().complete(outcome::failure);
    CHECK(bench.circuit.try_call(answer).rejection().reason == rejection_reason::circuit_open);
  });
  bench.clock.advance(5s);
  bench.circuit.call([&] {
    bench.circuit.force_open();
    CHECK(bench.circuit.try_call(answer).rejection().reason == rejection_reason::forced_open);
  });
}

TEST_CASE("on the ramp a call within a call rides, and nobody's streak of successes is broken",
          "[breaker][B12][B16]") {
  manual_clock clock;
  tested_breaker circuit{
      consecutive_failures{1}, {.open_for = 5s, .successes = 1, .ramp = {.first = 1, .successes = 3}}, clock};
  circuit.try_acquire()->complete(outcome::failure);
  clock.advance(5s);
  circuit.call(answer);
  REQUIRE(circuit.snapshot().in_flight_limit == 1);
  for (std::uint32_t i = 0; i < 3; ++i) {
    CHECK(circuit.snapshot().probes_succeeded == i);
    circuit.call([&] {
      auto held = std::make_unique<std::optional<tested_breaker::permit>[]>(8);
      std::size_t others = 0;
      while (circuit.snapshot().probes_in_flight < circuit.snapshot().in_flight_limit) {
        held[others++] = *circuit.try_acquire();
      }
      CHECK(circuit.call(answer) == 42);
    });
  }
  CHECK(circuit.observed_state() == circuit_state::closed);
}

TEST_CASE("a probe carries no more than eight calls at once", "[breaker][B4][B16][B16f]") {
  recovering bench;
  // As stackful coroutines of one thread would do, which look like calls within each other.
  int deepest = 0;
  const std::function<void(int)> nest = [&](int depth) {
    deepest = depth;
    static_cast<void>(bench.circuit.try_call([&] { nest(depth + 1); }));
  };
  bench.circuit.call([&] { nest(0); });
  CHECK(deepest == 8);
  CHECK(bench.state() == circuit_state::closed);

  SECTION("permits by hand count until they are settled") {
    recovering other;
    other.circuit.call([&] {
      auto riders = std::make_unique<std::optional<tested_breaker::permit>[]>(8);
      for (std::size_t i = 0; i < 8; ++i) riders[i] = other.acquire();
      CHECK_FALSE(other.circuit.try_acquire());
      riders[3].reset();
      CHECK(other.circuit.try_acquire());
    });
  }
}

TEST_CASE("a permit that rode outlives its probe without harm", "[breaker][B4][B6][B16]") {
  recovering bench{one_probe_at_a_time(3)};
  std::optional<tested_breaker::permit> rider;
  bench.circuit.call([&] { rider = bench.acquire(); });
  auto probe = bench.acquire();
  REQUIRE(bench.places_taken() == 1);
  SECTION("reported") {
    CHECK(rider->complete(outcome::failure) == disposition::released);
  }
  SECTION("reported on another thread") {
    elsewhere([&] { CHECK(rider->complete(outcome::success) == disposition::released); });
  }
  SECTION("destroyed") {
    rider.reset();
  }
  CHECK(bench.places_taken() == 1);
  CHECK(probe.complete(outcome::success) == disposition::counted);
  CHECK(bench.circuit.snapshot().probes_succeeded == 2);
}

TEST_CASE("nested in more breakers than a thread keeps in mind, the innermost ride", "[breaker][B16]") {
  constexpr std::size_t many = 20;
  std::unique_ptr<recovering> circuits[many];
  for (auto& one : circuits) one = std::make_unique<recovering>();
  const std::function<void(std::size_t)> descend = [&](std::size_t at) {
    if (at == many) return;
    circuits[at]->circuit.call([&] {
      CHECK(circuits[at]->circuit.call(answer) == 42);
      descend(at + 1);
    });
  };
  descend(0);
  for (const auto& one : circuits) CHECK(one->state() == circuit_state::closed);
}

TEST_CASE("threads whose every call is nested bring a circuit back, time after time", "[breaker][B4][B16]") {
  constexpr int thread_count = 4;
  bench bench{{.open_for = 1ms, .probes = 2, .successes = 6, .lease = 1h}};
  for (int outage = 0; outage < 20; ++outage) {
    bench.trip();
    bench.clock.advance(1ms);
    std::vector<std::thread> threads;
    for (int number = 0; number < thread_count; ++number) {
      threads.emplace_back([&] {
        const auto nested = [&] { return bench.circuit.call([&] { return bench.circuit.call(answer); }); };
        for (int i = 0; i < 1000 && bench.state() != circuit_state::closed; ++i) {
          static_cast<void>(bench.circuit.try_call(nested));
        }
      });
    }
    for (auto& one : threads) one.join();
    REQUIRE(bench.state() == circuit_state::closed);
  }
}
