// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <functional>
#include <utility>

using namespace breaker_test;

namespace {

/// Reports a stale permit and checks that nothing but the count of late results has changed.
void check_late(bench& bench, tested_breaker::permit stale, outcome result) {
  const auto before = bench.circuit.snapshot();
  CHECK(stale.complete(result) == disposition::late);
  auto after = bench.circuit.snapshot();
  CHECK(after.late_results == before.late_results + 1);
  CHECK(after.state == before.state);
  CHECK(after.epoch == before.epoch);
  CHECK(after.since == before.since);
  CHECK(after.consecutive_failures == before.consecutive_failures);
  CHECK(after.probes_succeeded == before.probes_succeeded);
  CHECK(after.probes_in_flight == before.probes_in_flight);
  CHECK(after.retry_after == before.retry_after);
}

}  // namespace

TEST_CASE("a result of an earlier epoch changes nothing, whatever the state is now", "[breaker][B6]") {
  const auto now = GENERATE(circuit_state::closed, circuit_state::half_open, circuit_state::open,
                            circuit_state::forced_open, circuit_state::disabled, circuit_state::metrics_only);
  const auto result = GENERATE(outcome::success, outcome::failure);
  INFO("now " << brownout::to_string(now) << ", " << brownout::to_string(result));

  bench bench;
  auto stale = bench.acquire();
  bench.circuit.reset();  // so that a later closed state is another epoch
  bench.drive_to(now);
  check_late(bench, std::move(stale), result);
}

TEST_CASE("a call that began closed and fails late does not open the circuit that has recovered since",
          "[breaker][B6]") {
  bench bench{{.open_for = 5s, .probes = 1}, 1};
  auto slow = bench.acquire();
  CHECK(bench.first_probe().complete(outcome::success) == disposition::counted);
  REQUIRE(bench.state() == circuit_state::closed);
  check_late(bench, std::move(slow), outcome::failure);
}

TEST_CASE("a call that began before the outage is no probe", "[breaker][B6]") {
  bench bench{{.open_for = 5s, .probes = 1}};
  auto slow = bench.acquire();
  auto probe = bench.first_probe();
  SECTION("its success does not close") {
    check_late(bench, std::move(slow), outcome::success);
  }
  SECTION("its failure does not open") {
    check_late(bench, std::move(slow), outcome::failure);
  }
  CHECK(bench.state() == circuit_state::half_open);
}

TEST_CASE("a success without failures before and after a reset is late, not a short cut", "[breaker][B6]") {
  bench bench;
  auto stale = bench.acquire();
  bench.circuit.reset();
  check_late(bench, std::move(stale), outcome::success);
}

TEST_CASE("calls that run while the circuit opens come late, those before count", "[breaker][B6]") {
  bench bench;
  auto a = bench.acquire();
  auto b = bench.acquire();
  auto c = bench.acquire();
  auto d = bench.acquire();
  CHECK(a.complete(outcome::failure) == disposition::counted);
  CHECK(b.complete(outcome::failure) == disposition::counted);
  CHECK(c.complete(outcome::failure) == disposition::counted);
  CHECK(bench.state() == circuit_state::open);
  CHECK(d.complete(outcome::failure) == disposition::late);
  CHECK(bench.circuit.snapshot().late_results == 1);
}

TEST_CASE("every hold makes the calls in flight late", "[breaker][B6]") {
  const auto hold = GENERATE(&tested_breaker::force_open, &tested_breaker::disable,
                             &tested_breaker::measure_only, &tested_breaker::reset);
  bench bench;
  auto in_flight = bench.acquire();
  std::invoke(hold, bench.circuit);
  check_late(bench, std::move(in_flight), outcome::failure);
}

TEST_CASE("a circuit that is disabled anew tells the calls of the time before that they are late",
          "[breaker][B6]") {
  bench bench;
  bench.circuit.disable();
  auto permit = bench.acquire();
  bench.circuit.reset();
  bench.circuit.disable();
  check_late(bench, std::move(permit), outcome::failure);
}
