// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::call_rejected;

namespace {

constexpr auto answer = [] { return 42; };

breaker_options one_probe(std::uint32_t successes = 1) {
  return {.name = "inventory", .open_for = 5s, .probes = 1, .successes = successes, .lease = 2s};
}

/// A circuit whose open period is over, so that the next call is a probe.
struct recovering : bench {
  explicit recovering(breaker_options options = one_probe()) : bench{std::move(options)} {
    trip();
    clock.advance(circuit.snapshot().retry_after);
  }

  /// A call within a call.
  int ask_twice() {
    return circuit.call([&] { return circuit.call(answer); });
  }
  std::uint32_t places_taken() { return circuit.snapshot().probes_in_flight; }
};

/// Runs on a thread of its own, and waits for its end.
template <class F>
void elsewhere(F function) {
  std::thread{function}.join();
}

}  // namespace

TEST_CASE("a call within a probe of the same breaker rides on it, and the circuit closes",
          "[breaker][B16][B16a]") {
  recovering bench;
  SECTION("call within call") {
    CHECK(bench.ask_twice() == 42);
  }
  SECTION("try_call within try_call") {
    const auto outer = [&] { return bench.circuit.try_call(answer).value(); };
    CHECK(bench.circuit.try_call(outer).value() == 42);
  }
  SECTION("a permit within call") {
    bench.circuit.call([&] {
      auto inner = bench.circuit.try_acquire();
      REQUIRE(inner);
      CHECK_FALSE(inner->is_probe());
      CHECK(inner->complete(outcome::success) == disposition::released);
    });
  }
  SECTION("one after the other, and within each other") {
    bench.circuit.call([&] {
      for (int i = 0; i < 1000; ++i) bench.circuit.call([&] { return bench.circuit.call(answer); });
    });
  }
  CHECK(bench.state() == circuit_state::closed);
  CHECK(bench.circuit.snapshot().rejections == 0);
  CHECK(bench.circuit.snapshot().late_results == 0);
}

TEST_CASE("a circuit whose every call is nested recovers through its successes and its ramp",
          "[breaker][B16]") {
  manual_clock clock;
  brownout::circuit_breaker<brownout::standard_detector, manual_clock> circuit{{}, {}, clock};
  while (circuit.observed_state() == circuit_state::closed) {
    circuit.try_acquire()->complete(outcome::failure);
  }
  int calls = 0;
  while (circuit.observed_state() != circuit_state::closed && calls < 1000) {
    clock.advance(100ms);
    static_cast<void>(circuit.try_call([&] { return circuit.call([&] { return circuit.call(answer); }); }));
    ++calls;
  }
  CHECK(circuit.observed_state() == circuit_state::closed);
}

TEST_CASE("the outer call alone settles a probe, whatever the calls within it come to",
          "[breaker][B4][B16][B16b]") {
  recovering bench{one_probe(2)};
  const auto fails = []() -> int { throw std::runtime_error{"down"}; };
  SECTION("failures inside, and a success") {
    bench.circuit.call([&] {
      for (int i = 0; i < 3; ++i) CHECK_THROWS_AS(bench.circuit.call(fails), std::runtime_error);
      CHECK(bench.state() == circuit_state::half_open);
      CHECK(bench.places_taken() == 1);
    });
    CHECK(bench.circuit.snapshot().probes_succeeded == 1);
    CHECK(bench.circuit.snapshot().failed_results == 3);  // those that opened it
  }
  SECTION("successes inside, and a failure") {
    CHECK_THROWS_AS(bench.circuit.call([&] {
      for (int i = 0; i < 3; ++i) bench.circuit.call(answer);
      CHECK(bench.circuit.snapshot().probes_succeeded == 0);
      return fails();
    }),
                    std::runtime_error);
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("ignored inside: the place stays taken") {
    bench.circuit.call([&] {
      bench.circuit.call([] { return outcome::ignored; });
      bench.circuit.call([] { return outcome::cancelled; });
      static_cast<void>(bench.circuit.try_acquire());
      CHECK(bench.places_taken() == 1);
    });
    CHECK(bench.circuit.snapshot().probes_succeeded == 1);
  }
  CHECK(bench.circuit.snapshot().late_results == 0);
}

TEST_CASE("a call within a call takes a place of its own while there is one", "[breaker][B4][B16][B16c]") {
  recovering bench{{.open_for = 5s, .probes = 2, .successes = 4, .lease = 2s}};
  bench.circuit.call([&] {
    bench.circuit.call([&] {
      CHECK(bench.places_taken() == 2);
      bench.circuit.call([&] { CHECK(bench.places_taken() == 2); });
    });
    CHECK(bench.circuit.snapshot().probes_succeeded == 1);
    CHECK(bench.places_taken() == 1);
    // The place that is free again is somebody else's now.
    auto other = bench.acquire();
    CHECK(bench.circuit.call(answer) == 42);
    CHECK(other.complete(outcome::success) == disposition::counted);
  });
  CHECK(bench.circuit.snapshot().probes_succeeded == 3);
}

TEST_CASE("a call rides on the probe of its own thread only", "[breaker][B4][B16][B16d]") {
  recovering bench;
  bench.circuit.call([&] {
    elsewhere([&] {
      CHECK_FALSE(bench.circuit.try_acquire());
      CHECK(bench.circuit.try_call(answer).rejection().reason == rejection_reason::probes_in_flight);
    });
    CHECK(bench.circuit.call(answer) == 42);
  });
  CHECK(bench.state() == circuit_state::closed);

  SECTION("and each of several threads on its own") {
    recovering several{{.open_for = 5s, .probes = 2, .successes = 2, .lease = 2s}};
    several.circuit.call([&] {
      elsewhere([&] { CHECK(several.ask_twice() == 42); });
      CHECK(several.circuit.call(answer) == 42);
    });
    CHECK(several.state() == circuit_state::closed);
    CHECK(several.circuit.snapshot().rejections == 0);
  }
}

TEST_CASE("a call rides on no probe of another breaker, and through another breaker on its own",
          "[breaker][B4][B16]") {
  recovering one;
  recovering other;
  SECTION("another breaker's places are its own") {
    auto probe = other.acquire();
    one.circuit.call([&] { CHECK_FALSE(other.circuit.try_acquire()); });
  }
  SECTION("A, B, A") {
    one.circuit.call([&] { other.circuit.call([&] { CHECK(one.circuit.call(answer) == 42); }); });
    CHECK(other.state() == circuit_state::closed);
  }
  SECTION("A, B, A, B") {
    one.circuit.call([&] {
      other.circuit.call([&] { one.circuit.call([&] { CHECK(other.circuit.call(answer) == 42); }); });
    });
    CHECK(other.state() == circuit_state::closed);
  }
  CHECK(one.state() == circuit_state::closed);
}

TEST_CASE("a permit taken by hand carries no call", "[breaker][B4][B16][B16e]") {
  recovering bench;
  auto by_hand = bench.acquire();
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK_FALSE(bench.circuit.try_call(answer));
  SECTION("neither within a call that rides") {
    CHECK(by_hand.complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
  }
}

TEST_CASE("a permit by hand, taken and settled within a probe, leaves the probe what it carries",
          "[breaker][B4][B16]") {
  recovering bench{{.open_for = 5s, .probes = 2, .successes = 3, .lease = 2s}};
  bench.circuit.call([&] {
    auto by_hand = bench.acquire();
    CHECK(by_hand.is_probe());
    CHECK(by_hand.complete(outcome::success) == disposition::counted);
    auto other = bench.acquire();
    CHECK(bench.circuit.call(answer) == 42);
    CHECK(bench.circuit.snapshot().rejections == 0);
  });
}

TEST_CASE("a call is carried no longer than its probe lasts", "[breaker][B4][B5][B16]") {
  recovering bench;
  SECTION("after the outer call has returned") {
    bench.circuit.call([] { return outcome::ignored; });
  }
  SECTION("after the outer call has thrown") {
    CHECK_THROWS_AS(bench.circuit.call([] { throw call_rejected{{}}; }), call_rejected);
  }
  SECTION("after the classifier has thrown") {
    const auto throws = [](outcome) -> outcome { throw std::runtime_error{"no verdict"}; };
    CHECK(bench.circuit.call([] { return outcome::ignored; }, throws) == outcome::ignored);
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
  recovering bench{one_probe(3)};
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
