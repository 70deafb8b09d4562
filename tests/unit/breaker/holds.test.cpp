// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <cstddef>
#include <vector>

using namespace breaker_test;
using brownout::transition_event;

namespace {

/// A breaker whose transitions are counted.
struct heard_bench : bench {
  heard_bench() : bench{{.open_for = 5s}} {}

  std::vector<circuit_state> heard;
  brownout::subscription listening =
      circuit.subscribe([this](const transition_event& event) { heard.push_back(event.to); },
                        brownout::announcements::every_transition);
};

struct named_hold {
  circuit_state state;
  void (*hold)(tested_breaker&);
};
constexpr named_hold holds[] = {
    {circuit_state::forced_open, [](tested_breaker& circuit) { circuit.force_open(); }},
    {circuit_state::forced_open, [](tested_breaker& circuit) { circuit.force_open_for(20s); }},
    {circuit_state::disabled, [](tested_breaker& circuit) { circuit.disable(); }},
    {circuit_state::disabled, [](tested_breaker& circuit) { circuit.disable_for(20s); }},
    {circuit_state::metrics_only, [](tested_breaker& circuit) { circuit.measure_only(); }},
};

}  // namespace

TEST_CASE("a hold that stands already is no transition", "[breaker][B20][B20a]") {
  for (const auto& [state, hold] : holds) {
    heard_bench bench;
    for (int i = 0; i < 5; ++i) {
      hold(bench.circuit);
      bench.clock.advance(1s);
    }
    CHECK(bench.state() == state);
    CHECK(bench.epoch() == 1);
    CHECK(bench.heard == std::vector{state});
  }
}

TEST_CASE("calls in flight stay current when the circuit is held again as it is", "[breaker][B6][B20]") {
  heard_bench bench;
  SECTION("measured") {
    bench.circuit.measure_only();
    bench.fail(2);
    auto call = bench.acquire();
    bench.circuit.measure_only();
    CHECK(bench.circuit.snapshot().consecutive_failures == 2);
    CHECK(call.complete(outcome::failure) == disposition::counted);
    CHECK(bench.circuit.snapshot().consecutive_failures == 3);
  }
  SECTION("disabled") {
    bench.circuit.disable();
    auto call = bench.acquire();
    bench.circuit.disable_for(20s);
    bench.circuit.disable();
    CHECK(call.complete(outcome::failure) == disposition::released);
  }
  CHECK(bench.circuit.snapshot().late_results == 0);
}

TEST_CASE("a reset of a closed circuit is a transition, since it begins new statistics",
          "[breaker][B20][B20c]") {
  heard_bench bench;
  bench.circuit.reset();
  bench.circuit.reset();
  CHECK(bench.heard == std::vector(2, circuit_state::closed));
}

TEST_CASE("holding a held circuit for a time moves the end of the hold, and is no transition",
          "[breaker][B1][B20][B20b]") {
  heard_bench bench;
  bench.circuit.force_open_for(20s);
  bench.clock.advance(15s);
  const auto left = [&] { return bench.circuit.snapshot().retry_after; };
  SECTION("to a later moment") {
    bench.circuit.force_open_for(20s);
    CHECK(left() == 20s);
    bench.clock.advance(20s - 1ns);
    CHECK_FALSE(bench.circuit.try_acquire());
    bench.clock.advance(1ns);
    CHECK(bench.circuit.try_acquire());
  }
  SECTION("to an earlier moment: the last word counts") {
    bench.circuit.force_open_for(1s);
    CHECK(left() == 1s);
  }
  SECTION("to never, and back") {
    bench.circuit.force_open();
    CHECK(left() == rejection::unknown);
    bench.clock.advance(1h);
    bench.circuit.force_open_for(20s);
    CHECK(left() == 20s);
  }
  SECTION("after it was over, when no call has come since") {
    bench.clock.advance(1h);
    bench.circuit.force_open_for(20s);
    CHECK(left() == 20s);
  }
  SECTION("between two steps of 100 ms: rounded up") {
    bench.clock.advance(50ms);
    bench.circuit.force_open_for(20s);
    CHECK(left() >= 20s);
    CHECK(left() < 20s + 100ms);
  }
  CHECK(bench.heard[0] == circuit_state::forced_open);
  CHECK(bench.circuit.snapshot().epoch == bench.heard.size());
  if (bench.state() == circuit_state::forced_open) CHECK(bench.heard.size() == 1);
}

TEST_CASE("a disabled circuit that is disabled for a time closes after that time", "[breaker][B20]") {
  heard_bench bench;
  bench.circuit.disable();
  bench.clock.advance(1h);
  bench.circuit.disable_for(20s);
  bench.clock.advance(20s - 1ns);
  CHECK(bench.report(outcome::failure) == disposition::released);
  bench.clock.advance(1ns);
  bench.fail();
  CHECK(bench.heard == std::vector{circuit_state::disabled, circuit_state::closed});
}

TEST_CASE("a hold that is renewed again and again lasts for as long as it is renewed", "[breaker][B20]") {
  heard_bench bench;
  for (int day = 0; day < 100; ++day) {
    bench.circuit.force_open_for(24h * 7);
    REQUIRE(bench.circuit.snapshot().retry_after == 24h * 7);
    bench.clock.advance(24h);
    REQUIRE_FALSE(bench.circuit.try_acquire());
  }
  // The end of a hold has room for 9 days after its beginning: then it begins anew.
  CHECK(bench.heard.size() > 1);
  CHECK(bench.heard.size() < 100 / 2);
}
