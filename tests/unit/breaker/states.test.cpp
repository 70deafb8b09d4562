// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

using namespace breaker_test;

TEST_CASE("a new circuit is closed, at epoch 0, with nothing counted", "[breaker][B1][B1a]") {
  bench bench{bench::defaults(), 3, time_point{1h}};
  const auto seen = bench.circuit.snapshot();

  CHECK(seen.state == circuit_state::closed);
  CHECK(seen.epoch == 0);
  CHECK(seen.since == time_point{1h});
  CHECK(seen.consecutive_failures == 0);
  CHECK(seen.probes_needed == 2);
  CHECK(seen.probes_succeeded == 0);
  CHECK(seen.probes_in_flight == 0);
  CHECK(seen.retry_after == duration::zero());
  CHECK(seen.rejections == 0);
  CHECK(seen.late_results == 0);
  CHECK(bench.circuit.name() == "bench");
}

TEST_CASE("a circuit opens at the threshold, not one failure before it", "[breaker][B1][B1b]") {
  bench bench;
  bench.fail(2);
  CHECK(bench.state() == circuit_state::closed);
  CHECK(bench.circuit.snapshot().consecutive_failures == 2);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("an outage runs closed, open, half-open, closed, each with the next epoch",
          "[breaker][B1][B2][B2a]") {
  bench bench;
  bench.trip();
  CHECK(bench.epoch() == 1);

  bench.clock.advance(5s);
  auto first = bench.acquire();
  CHECK(bench.state() == circuit_state::half_open);
  CHECK(bench.epoch() == 2);

  SECTION("as many successes as probes close it") {
    auto second = bench.acquire();
    CHECK(first.complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::half_open);
    CHECK(bench.circuit.snapshot().probes_succeeded == 1);
    CHECK(second.complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
    CHECK(bench.epoch() == 3);
  }
  SECTION("one failure opens it again, for a whole open period") {
    CHECK(first.complete(outcome::failure) == disposition::counted);
    CHECK(bench.state() == circuit_state::open);
    CHECK(bench.epoch() == 3);
    CHECK(bench.circuit.snapshot().retry_after == 5s);
  }
  SECTION("a failure after a success opens it too, and the success is forgotten") {
    CHECK(first.complete(outcome::success) == disposition::counted);
    bench.fail();
    CHECK(bench.state() == circuit_state::open);
    bench.clock.advance(5s);
    auto probe = bench.acquire();
    CHECK(bench.circuit.snapshot().probes_succeeded == 0);
    static_cast<void>(probe.complete(outcome::success));
    CHECK(bench.state() == circuit_state::half_open);
  }
}

TEST_CASE("a held circuit stays held, whatever calls report and however long", "[breaker][B1][B1c]") {
  bench bench;
  SECTION("forced open admits nobody") {
    bench.circuit.force_open();
    bench.clock.advance(24h * 365);
    CHECK_FALSE(bench.circuit.try_acquire());
    CHECK(bench.state() == circuit_state::forced_open);
    CHECK(bench.circuit.snapshot().retry_after == rejection::unknown);
  }
  SECTION("disabled admits everybody and measures nothing") {
    bench.circuit.disable();
    for (int i = 0; i < 10; ++i) {
      CHECK(bench.report(outcome::failure) == disposition::released);
      CHECK(bench.report(outcome::success) == disposition::released);
    }
    CHECK(bench.state() == circuit_state::disabled);
    CHECK(bench.circuit.snapshot().consecutive_failures == 0);
  }
  SECTION("metrics only measures, and never opens") {
    bench.circuit.measure_only();
    bench.fail(10);
    CHECK(bench.state() == circuit_state::metrics_only);
    CHECK(bench.circuit.snapshot().consecutive_failures == 10);
    bench.succeed();
    CHECK(bench.circuit.snapshot().consecutive_failures == 0);
  }
}

TEST_CASE("a reset circuit counts from nothing, also one that was closed", "[breaker][B1][B8]") {
  bench bench;
  bench.fail(2);
  bench.circuit.reset();
  CHECK(bench.state() == circuit_state::closed);
  CHECK(bench.epoch() == 1);
  CHECK(bench.circuit.snapshot().consecutive_failures == 0);
  bench.fail(2);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("a snapshot tells when the epoch began", "[breaker][B2][B2d]") {
  bench bench{bench::defaults(), 3, time_point{1h}};
  bench.clock.advance(7s);
  bench.trip();
  CHECK(bench.circuit.snapshot().since == time_point{1h + 7s});
  bench.clock.advance(5s);
  auto first = bench.acquire();
  CHECK(bench.circuit.snapshot().since == time_point{1h + 12s});

  SECTION("half-open: when the latest probe was admitted") {
    bench.clock.advance(1s);
    auto second = bench.acquire();
    CHECK(bench.circuit.snapshot().since == time_point{1h + 13s});
    CHECK(bench.circuit.snapshot().probes_in_flight == 2);
  }
  SECTION("held by an operator") {
    bench.clock.advance(2s);
    bench.circuit.disable();
    bench.clock.advance(2s);
    CHECK(bench.circuit.snapshot().since == time_point{1h + 14s});
  }
  SECTION("within a microsecond, and never early") {
    bench.clock.advance(1ns);
    bench.circuit.reset();
    const auto since = bench.circuit.snapshot().since;
    CHECK(since >= time_point{1h + 12s + 1ns});
    CHECK(since < time_point{1h + 12s + 1ns + 1us});
  }
}

TEST_CASE("a circuit held for a time is probed or closed when that is over", "[breaker][B1][B1d]") {
  bench bench{{.open_for = 5s}};
  SECTION("open: then probed, as after an open period") {
    bench.circuit.force_open_for(20s);
    const auto refused = bench.circuit.try_acquire();
    REQUIRE_FALSE(refused);
    CHECK(refused.rejection() == rejection{rejection_reason::forced_open, 20s});
    CHECK(bench.circuit.snapshot().retry_after == 20s);
    bench.clock.advance(20s - 1ns);
    CHECK_FALSE(bench.circuit.try_acquire());
    bench.clock.advance(1ns);
    CHECK(bench.state() == circuit_state::forced_open);  // until somebody asks
    CHECK(bench.circuit.snapshot().retry_after == 0s);
    bench.succeed();
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("disabled: then closed, and that call is measured") {
    bench.circuit.disable_for(20s);
    bench.clock.advance(20s - 1ns);
    CHECK(bench.report(outcome::failure) == disposition::released);
    CHECK(bench.state() == circuit_state::disabled);
    bench.clock.advance(1ns);
    bench.fail();
    CHECK(bench.state() == circuit_state::closed);
    CHECK(bench.circuit.snapshot().consecutive_failures == 1);
    CHECK(bench.epoch() == 2);
  }
  SECTION("an operator ends it before") {
    bench.circuit.force_open_for(20s);
    bench.circuit.reset();
    bench.clock.advance(1h);
    bench.succeed();
    CHECK(bench.epoch() == 2);
  }
  SECTION("a hold for ever follows one for a time") {
    bench.circuit.force_open_for(20s);
    bench.circuit.force_open();
    bench.clock.advance(24h);
    CHECK(bench.circuit.try_acquire().rejection().retry_after == rejection::unknown);
  }
  SECTION("times are rounded up to 100 ms, and at their limits") {
    const auto shown = [&](duration how_long) {
      bench.circuit.force_open_for(how_long);
      return bench.circuit.snapshot().retry_after;
    };
    CHECK(shown(1ns) == 100ms);
    CHECK(shown(0s) == 100ms);
    CHECK(shown(-1h) == 100ms);
    CHECK(shown(duration::min()) == 100ms);
    CHECK(shown(101ms) == 200ms);
    CHECK(shown(24h * 7) == 24h * 7);
    CHECK(shown(duration::max()) == 24h * 7);
  }
}
