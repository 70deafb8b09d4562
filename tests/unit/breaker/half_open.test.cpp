// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <optional>
#include <vector>

using namespace breaker_test;

TEST_CASE("a half-open circuit admits at most its probes", "[breaker][B4]") {
  const auto probes = GENERATE(1u, 2u, 3u, breaker_options::most_probes);
  bench bench{{.open_for = 5s, .probes = probes, .lease = 2s}};
  bench.trip();
  bench.clock.advance(5s);

  std::vector<tested_breaker::permit> held;
  for (std::uint32_t i = 0; i < probes; ++i) held.push_back(bench.acquire());
  CHECK(bench.circuit.snapshot().probes_in_flight == probes);
  CHECK_FALSE(bench.circuit.try_acquire());

  SECTION("a success frees no place: it is one of the needed ones") {
    for (std::uint32_t i = 0; i + 1 < probes; ++i) {
      CHECK(held[i].complete(outcome::success) == disposition::counted);
      CHECK_FALSE(bench.circuit.try_acquire());
      CHECK(bench.circuit.snapshot().probes_succeeded == i + 1);
      CHECK(bench.circuit.snapshot().probes_in_flight == probes - i - 1);
    }
    CHECK(held.back().complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("a place that is given back is free once, not twice") {
    held.pop_back();
    CHECK(bench.circuit.snapshot().probes_in_flight == probes - 1);
    auto again = bench.acquire();
    CHECK_FALSE(bench.circuit.try_acquire());
  }
}

TEST_CASE("a permit gives its place back however it is dropped", "[breaker][B4][B5]") {
  bench bench{{.open_for = 5s, .probes = 1, .lease = 1h}};
  std::optional<tested_breaker::permit> held{bench.first_probe()};
  REQUIRE_FALSE(bench.circuit.try_acquire());

  SECTION("destroyed") {
    held.reset();
  }
  SECTION("ignored") {
    CHECK(held->complete(outcome::ignored) == disposition::released);
  }
  SECTION("cancelled") {
    CHECK(held->complete(outcome::cancelled) == disposition::released);
  }
  SECTION("moved, and then destroyed: once") {
    {
      const auto moved = *std::move(held);
      CHECK(held->settled());
      CHECK_FALSE(bench.circuit.try_acquire());
    }
    held.reset();  // holds nothing any more
  }
  SECTION("assigned over") {
    breaker_test::bench other;
    held = other.acquire();
    // The assigned permit is the other circuit's.
    CHECK(held->complete(outcome::failure) == disposition::counted);
    CHECK(other.circuit.snapshot().consecutive_failures == 1);
  }
  CHECK(bench.circuit.snapshot().probes_in_flight == 0);
  CHECK(bench.state() == circuit_state::half_open);
  auto next = bench.acquire();
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(next.complete(outcome::success) == disposition::counted);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("a permit moved onto itself keeps its place", "[breaker][B4]") {
  bench bench{{.open_for = 5s, .probes = 1, .lease = 1h}};
  auto held = bench.first_probe();
  auto& same = held;
  held = std::move(same);
  CHECK_FALSE(held.settled());
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(held.complete(outcome::success) == disposition::counted);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("reporting a permit again changes nothing", "[breaker][B4]") {
  bench bench;
  auto first = bench.first_probe();
  CHECK(first.complete(outcome::success) == disposition::counted);
  CHECK(first.settled());
  CHECK(first.complete(outcome::success) == disposition::late);
  CHECK(first.complete(outcome::failure) == disposition::late);
  CHECK(first.complete(outcome::cancelled) == disposition::late);
  const auto seen = bench.circuit.snapshot();
  CHECK(seen.state == circuit_state::half_open);
  CHECK(seen.probes_succeeded == 1);
  CHECK(seen.probes_in_flight == 0);
}

TEST_CASE("stale permits never free a place in a later half-open epoch", "[breaker][B4][B6]") {
  bench bench{{.open_for = 5s, .probes = 1, .lease = 2s}};
  auto lost = bench.first_probe();
  bench.clock.advance(2s);
  auto current = bench.acquire();

  SECTION("destroyed") {
    static_cast<void>(tested_breaker::permit{std::move(lost)});
  }
  SECTION("cancelled") {
    CHECK(lost.complete(outcome::cancelled) == disposition::released);
  }
  SECTION("succeeded") {
    CHECK(lost.complete(outcome::success) == disposition::late);
  }
  SECTION("failed") {
    CHECK(lost.complete(outcome::failure) == disposition::late);
  }
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().probes_in_flight == 1);
  CHECK(current.complete(outcome::success) == disposition::counted);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("a lost probe ends by its lease", "[breaker][B5]") {
  bench bench{{.open_for = 5s, .probes = 1, .lease = 2s}};
  auto lost = bench.first_probe();

  SECTION("one tick early: still waited for") {
    bench.clock.advance(2s - 1ns);
    const auto refused = bench.circuit.try_acquire();
    REQUIRE_FALSE(refused);
    CHECK(refused.rejection() == rejection{rejection_reason::probes_in_flight, 1ns});
    CHECK(lost.complete(outcome::success) == disposition::counted);
  }
  SECTION("on the tick: a new epoch, and a fresh probe") {
    const auto before = bench.epoch();
    bench.clock.advance(2s);
    auto fresh = bench.acquire();
    CHECK(bench.epoch() == before + 1);
    CHECK_FALSE(bench.circuit.try_acquire());
    CHECK(lost.complete(outcome::success) == disposition::late);
    CHECK(bench.state() == circuit_state::half_open);
    CHECK(fresh.complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("an overdue result that comes before anybody asks still counts") {
    bench.clock.advance(1h);
    CHECK(lost.complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("again and again") {
    std::vector<tested_breaker::permit> all_lost;
    for (int i = 0; i < 300; ++i) {  // more than the words' narrow fields hold
      bench.clock.advance(2s);
      all_lost.push_back(bench.acquire());
      REQUIRE_FALSE(bench.circuit.try_acquire());
      REQUIRE(bench.circuit.snapshot().retry_after == 2s);
    }
    CHECK(all_lost.back().complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
  }
}

TEST_CASE("left out, the lease is a minute, or the open period if that is longer", "[breaker][B5]") {
  CHECK(bench{{.open_for = 2min}}.circuit.options().lease == 2min);
  bench bench{{.open_for = 1s}};
  CHECK(bench.circuit.options().lease == 1min);
  auto probe = bench.first_probe();
  CHECK(bench.circuit.try_acquire().rejection().retry_after == 1min);
}

TEST_CASE("the lease counts from the last admission, so no young probe is given up with an old one",
          "[breaker][B5]") {
  bench bench;  // two probes, lease 2 s
  auto old = bench.first_probe();
  bench.clock.advance(10s);  // overdue, but a place is free: nothing is given up
  const auto before = bench.epoch();
  auto young = bench.acquire();
  CHECK(bench.epoch() == before);
  bench.clock.advance(2s - 1ns);
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(young.complete(outcome::success) == disposition::counted);
  CHECK_FALSE(bench.circuit.try_acquire());
  bench.clock.advance(1ns);
  auto fresh = bench.acquire();
  CHECK(bench.epoch() == before + 1);
  CHECK(bench.circuit.snapshot().probes_succeeded == 0);  // a fresh epoch needs all of its probes again
  CHECK(old.complete(outcome::success) == disposition::late);
}

TEST_CASE("places taken and given back for ever neither add nor lose one", "[breaker][B4][B5]") {
  bench bench{{.open_for = 5s, .probes = 1, .lease = 2s}};
  static_cast<void>(bench.first_probe());
  const auto epoch = bench.epoch();
  for (int i = 0; i < 1000; ++i) {
    bench.clock.advance(1ms);
    auto probe = bench.acquire();
    REQUIRE_FALSE(bench.circuit.try_acquire());
    REQUIRE(bench.circuit.snapshot().retry_after == 2s);
  }
  CHECK(bench.epoch() == epoch);
}
