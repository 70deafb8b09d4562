// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/detector/slow_call_rate.hpp"

#include <optional>
#include <vector>

using namespace breaker_test;

TEST_CASE("a half-open circuit admits at most its probes", "[breaker][B4][B4a]") {
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

TEST_CASE("a permit gives its place back however it is dropped", "[breaker][B4][B4d][B5]") {
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

TEST_CASE("reporting a permit again changes nothing", "[breaker][B4][B4e]") {
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

TEST_CASE("stale permits never free a place in a later half-open epoch", "[breaker][B4][B6][B6c]") {
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

TEST_CASE("a lost probe ends by its lease", "[breaker][B5][B5a]") {
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

TEST_CASE("left out, the lease is a minute, or the open period if that is longer", "[breaker][B5][B5c]") {
  CHECK(bench{{.open_for = 2min}}.circuit.options().lease == 2min);
  bench bench{{.open_for = 1s}};
  CHECK(bench.circuit.options().lease == 1min);
  auto probe = bench.first_probe();
  CHECK(bench.circuit.try_acquire().rejection().retry_after == 1min);
}

TEST_CASE("the lease counts from the last admission, so no young probe is given up with an old one",
          "[breaker][B5][B5b]") {
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

namespace {

/// Open for 5 s, then four calls at a time decide by their failure rate, of which half is too much.
breaker_options by_rate() {
  return {.open_for = 5s, .probes = 4, .probe_rate = {.calls = 4}, .lease = 2s};
}

}  // namespace

TEST_CASE("with a probe rate, as many calls pass as decide, however they end or come back",
          "[breaker][B4][B12][B12l]") {
  bench bench{by_rate()};
  auto first = bench.first_probe();
  CHECK(bench.circuit.snapshot().probes_needed == 4);
  std::vector<tested_breaker::permit> held;
  for (int i = 0; i < 3; ++i) held.push_back(bench.acquire());
  CHECK(bench.circuit.snapshot().probes_in_flight == 4);
  const auto refused = bench.circuit.try_acquire();
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection() == rejection{rejection_reason::probes_in_flight, 2s});

  CHECK(first.complete(outcome::failure) == disposition::counted);
  CHECK_FALSE(bench.circuit.try_acquire());  // three more results decide, and they are on their way
  held.pop_back();                           // given back
  held.push_back(bench.acquire());
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(held[0].complete(outcome::cancelled) == disposition::released);
  CHECK(bench.report(outcome::success) == disposition::counted);
  const auto seen = bench.circuit.snapshot();
  CHECK(seen.state == circuit_state::half_open);
  CHECK(seen.probes_failed == 1);
  CHECK(seen.probes_succeeded == 1);
  CHECK(seen.probes_in_flight == 2);
  CHECK(seen.in_flight_limit == 2);
  CHECK(held[1].complete(outcome::success) == disposition::counted);
  CHECK(bench.state() == circuit_state::half_open);
  SECTION("a quarter failed") {
    CHECK(held[2].complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("half of them failed") {
    CHECK(held[2].complete(outcome::failure) == disposition::counted);
    CHECK(bench.state() == circuit_state::open);
    CHECK(bench.circuit.snapshot().open_period == 2);
  }
}

TEST_CASE("with a probe rate, lost calls end by the lease, and fresh ones decide", "[breaker][B5][B12]") {
  bench bench{by_rate()};
  auto lost = bench.first_probe();
  bench.fail();
  bench.succeed();
  auto late = bench.acquire();
  bench.clock.advance(2s - 1ns);
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(late.complete(outcome::success) == disposition::counted);
  const auto before = bench.epoch();
  bench.clock.advance(1ns);
  bench.succeed();
  CHECK(bench.epoch() == before + 1);
  CHECK(bench.circuit.snapshot().probes_failed == 0);
  bench.succeed(2);
  CHECK(bench.state() == circuit_state::half_open);
  bench.fail();
  CHECK(bench.state() == circuit_state::closed);
  CHECK(lost.complete(outcome::failure) == disposition::late);
}

TEST_CASE("with a probe rate and one probe at a time, calls go one after the other", "[breaker][B4][B12]") {
  auto options = by_rate();
  options.probes = 1;
  bench bench{options};
  auto only = bench.first_probe();
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(only.complete(outcome::failure) == disposition::counted);
  bench.succeed(2);
  CHECK(bench.state() == circuit_state::half_open);
  bench.succeed();
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("a probe rate is exact at every size", "[breaker][B12]") {
  const auto calls = GENERATE(1u, 2u, 3u, 10u, 30u, 31u);
  for (std::uint32_t failures = 0; failures <= calls; ++failures) {
    for (std::uint32_t needed = 1; needed <= calls; ++needed) {
      breaker_options options{
          .open_for = 5s,
          .probes = breaker_options::most_probes,
          .probe_rate = {.calls = calls, .failure_threshold = static_cast<double>(needed) / calls}};
      bench bench{options, 1};
      bench.trip();
      bench.clock.advance(5s);
      std::vector<tested_breaker::permit> held;
      while (auto admitted = bench.circuit.try_acquire()) held.push_back(*std::move(admitted));
      REQUIRE(held.size() == calls);
      for (std::uint32_t i = 0; i < calls; ++i) {
        if (bench.state() != circuit_state::half_open) FAIL("decided early");
        static_cast<void>(held[i].complete(i < failures ? outcome::failure : outcome::success));
      }
      const auto expected = failures >= needed ? circuit_state::open : circuit_state::closed;
      if (bench.state() != expected) FAIL(failures << " of " << calls << ", threshold " << needed);
    }
  }
}

TEST_CASE("after a probe rate the ramp begins", "[breaker][B12]") {
  auto options = by_rate();
  options.ramp = {.first = 3, .successes = 4};
  manual_clock clock;
  tested_breaker circuit{consecutive_failures{1}, options, clock};
  const auto report = [&](outcome result) { return circuit.try_acquire()->complete(result); };
  static_cast<void>(report(outcome::failure));
  clock.advance(5s);
  for (const auto result : {outcome::success, outcome::failure, outcome::success, outcome::success}) {
    CHECK(report(result) == disposition::counted);
  }
  CHECK(circuit.snapshot().state == circuit_state::half_open);
  CHECK(circuit.snapshot().in_flight_limit == 3);
  CHECK(circuit.snapshot().probes_failed == 0);
  for (int i = 0; i < 4; ++i) CHECK(report(outcome::success) == disposition::counted);
  CHECK(circuit.snapshot().state == circuit_state::closed);
}

TEST_CASE("a probe rate that is replaced while calls are in flight holds from the next half-open epoch on",
          "[breaker][B12][B13]") {
  SECTION("more calls decide") {
    bench bench{by_rate()};
    auto probe = bench.first_probe();
    auto options = by_rate();
    options.ramp = brownout::no_ramp;
    options.probe_rate.calls = 6;
    bench.circuit.reconfigure(options);
    CHECK(bench.circuit.options().probe_rate.calls == 6);
    CHECK(probe.complete(outcome::failure) == disposition::counted);
    bench.succeed(4);
    CHECK(bench.state() == circuit_state::half_open);
    bench.succeed();
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("fewer calls than have ended: the next one decides") {
    bench bench{by_rate()};
    auto probe = bench.first_probe();
    bench.succeed(2);
    auto options = by_rate();
    options.ramp = brownout::no_ramp;
    options.probe_rate.calls = 1;
    bench.circuit.reconfigure(options);
    CHECK(probe.complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("switched off: a failure opens") {
    bench bench{by_rate()};
    auto probe = bench.first_probe();
    bench.circuit.reconfigure({.open_for = 5s, .probes = 2, .successes = 255, .ramp = brownout::no_ramp});
    CHECK(bench.circuit.options().successes == 255);
    CHECK(bench.circuit.options().probe_rate.calls == 0);
    SECTION("at once") {
      CHECK(probe.complete(outcome::failure) == disposition::counted);
      CHECK(bench.state() == circuit_state::open);
    }
    SECTION("and successes close, as far as the word can count them") {
      CHECK(probe.complete(outcome::success) == disposition::counted);
      bench.succeed(29);
      CHECK(bench.state() == circuit_state::half_open);
      bench.succeed();
      CHECK(bench.state() == circuit_state::closed);
    }
  }
  SECTION("switched on: each probe of this epoch still decides by itself") {
    bench bench{{.open_for = 5s, .probes = 4, .lease = 2s}};
    auto probe = bench.first_probe();
    auto options = by_rate();
    options.ramp = brownout::no_ramp;
    bench.circuit.reconfigure(options);
    CHECK(probe.complete(outcome::failure) == disposition::counted);
    CHECK(bench.state() == circuit_state::open);
    bench.clock.advance(5s);
    bench.fail();
    CHECK(bench.state() == circuit_state::half_open);
  }
}

TEST_CASE("where slow calls are counted, a probe rate has a share of slow calls", "[breaker][B12][B12m]") {
  manual_clock clock;
  brownout::circuit_breaker circuit{
      brownout::slow_call_rate<>{.slower_than = 1s, .minimum_calls = 1, .window = {1}},
      {.open_for = 5s,
       .probes = 4,
       .probe_rate = {.calls = 4, .failure_threshold = 0.75, .slow_threshold = 0.5},
       .ramp = brownout::no_ramp},
      clock};
  const auto report = [&](outcome result, duration took) {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    clock.advance(took);
    CHECK(admitted->complete(result) == disposition::counted);
  };
  report(outcome::success, 2s);
  REQUIRE(circuit.observed_state() == circuit_state::open);
  clock.advance(5s);
  SECTION("slow successes and slow failures") {
    report(outcome::success, 2s);
    report(outcome::failure, 2s);
    report(outcome::success, 0s);
    report(outcome::success, 0s);
    CHECK(circuit.observed_state() == circuit_state::open);
  }
  SECTION("fast failures are not slow") {
    report(outcome::success, 2s);
    report(outcome::failure, 0s);
    report(outcome::failure, 0s);
    report(outcome::success, 0s);
    CHECK(circuit.observed_state() == circuit_state::closed);
  }
  SECTION("a slow failure is a failure too") {
    report(outcome::failure, 2s);
    report(outcome::failure, 0s);
    report(outcome::failure, 0s);
    report(outcome::success, 0s);
    CHECK(circuit.observed_state() == circuit_state::open);
  }
}
