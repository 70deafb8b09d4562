// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/recovering.hpp"

#include <stdexcept>

using namespace breaker_test;

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
    clock.advance(10ms);
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
  recovering bench{one_probe_at_a_time(2)};
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
