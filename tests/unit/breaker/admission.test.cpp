// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/core/child.hpp"

#include <type_traits>

using namespace breaker_test;

// The call path never throws (B14).
static_assert(noexcept(std::declval<tested_breaker&>().try_acquire()));
static_assert(noexcept(std::declval<tested_breaker::permit&>().complete(outcome::failure)));
static_assert(noexcept(std::declval<tested_breaker::admission&>().rejection()));
static_assert(noexcept(std::declval<const tested_breaker&>().snapshot()));
static_assert(noexcept(std::declval<const tested_breaker&>().observed_state()));
static_assert(noexcept(std::declval<tested_breaker&>().force_open()));
static_assert(noexcept(std::declval<tested_breaker&>().disable()));
static_assert(noexcept(std::declval<tested_breaker&>().measure_only()));
static_assert(noexcept(std::declval<tested_breaker&>().reset()));
static_assert(!std::is_copy_constructible_v<tested_breaker> && !std::is_move_constructible_v<tested_breaker>);

TEST_CASE("an open circuit admits its first probe exactly when open_for has passed", "[breaker][B3][B3c]") {
  bench bench;
  bench.trip();

  SECTION("at once: refused, for the whole period") {
    const auto refused = bench.circuit.try_acquire();
    REQUIRE_FALSE(refused);
    CHECK(refused.rejection() == rejection{rejection_reason::circuit_open, 5s});
  }
  SECTION("one tick early: refused, for one tick") {
    bench.clock.advance(5s - 1ns);
    const auto refused = bench.circuit.try_acquire();
    REQUIRE_FALSE(refused);
    CHECK(refused.rejection() == rejection{rejection_reason::circuit_open, 1ns});
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("on the tick: half-open, and a probe") {
    bench.clock.advance(5s);
    CHECK(bench.circuit.try_acquire());
    CHECK(bench.state() == circuit_state::half_open);
  }
}

TEST_CASE("with one probe, one caller at the deadline is admitted and the next is not", "[breaker][B3]") {
  bench bench{{.open_for = 5s, .probes = 1, .lease = 3s}};
  bench.trip();
  bench.clock.advance(5s);
  const auto first = bench.circuit.try_acquire();
  const auto second = bench.circuit.try_acquire();
  CHECK(first);
  REQUIRE_FALSE(second);
  CHECK(second.rejection() == rejection{rejection_reason::probes_in_flight, 3s});
}

TEST_CASE("a rejection says why, and how long", "[breaker][B3][B3b]") {
  bench bench;
  SECTION("open: the rest of the period, in any unit") {
    bench.trip();
    bench.clock.advance(1234567891ns);
    CHECK(bench.circuit.try_acquire().rejection() ==
          rejection{rejection_reason::circuit_open, 5s - 1234567891ns});
  }
  SECTION("half-open: until a lost probe frees its place") {
    auto first = bench.first_probe();
    bench.clock.advance(1s);
    auto second = bench.acquire();  // the lease counts from the last admission
    bench.clock.advance(1ms);
    CHECK(bench.circuit.try_acquire().rejection() == rejection{rejection_reason::probes_in_flight, 2s - 1ms});
  }
  SECTION("held open: nobody knows") {
    bench.circuit.force_open();
    CHECK(bench.circuit.try_acquire().rejection() ==
          rejection{rejection_reason::forced_open, rejection::unknown});
  }
  SECTION("the longest period there is") {
    breaker_test::bench long_bench{{.open_for = 24h}};
    long_bench.trip();
    CHECK(long_bench.circuit.try_acquire().rejection() == rejection{rejection_reason::circuit_open, 24h});
  }
}

TEST_CASE("a snapshot's retry_after is what a caller would be told", "[breaker][B3][B3e]") {
  bench bench;
  CHECK(bench.circuit.snapshot().retry_after == duration::zero());
  bench.trip();
  bench.clock.advance(5s - 1ns);
  CHECK(bench.circuit.snapshot().retry_after == 1ns);
  bench.clock.advance(1ns);
  CHECK(bench.circuit.snapshot().retry_after == duration::zero());
  bench.clock.advance(1h);
  CHECK(bench.circuit.snapshot().retry_after == duration::zero());
  CHECK(bench.state() == circuit_state::open);  // reading is no call

  auto first = bench.acquire();
  CHECK(bench.circuit.snapshot().retry_after == duration::zero());  // one more probe may pass
  auto second = bench.acquire();
  CHECK(bench.circuit.snapshot().retry_after == 2s);
  bench.clock.advance(3s);
  CHECK(bench.circuit.snapshot().retry_after == duration::zero());
}

TEST_CASE("an admission hands its permit over once", "[breaker][B3]") {
  bench bench;
  auto admitted = bench.circuit.try_acquire();
  REQUIRE(admitted);
  auto permit = *std::move(admitted);
  CHECK_FALSE(permit.settled());
  CHECK_FALSE(admitted);  // NOLINT(bugprone-use-after-move): what is left is the point
  CHECK(permit.complete(outcome::success) == disposition::counted);
}

TEST_CASE("an outcome that is no enumerator says nothing, whatever the state", "[breaker][B6]") {
  bench bench;
  constexpr auto nonsense = static_cast<outcome>(9);
  CHECK(bench.report(nonsense) == disposition::released);
  CHECK(bench.state() == circuit_state::closed);
  CHECK(bench.circuit.snapshot().epoch == 0);

  bench.fail(3);
  bench.clock.advance(5s);
  CHECK(bench.report(nonsense) == disposition::released);
  const auto shown = bench.circuit.snapshot();
  CHECK(shown.state == circuit_state::half_open);
  CHECK(shown.probes_in_flight == 0);
}

TEST_CASE("the permit of a refused call is a broken precondition, and so is the rejection of an admitted one",
          "[breaker][B3]") {
  bench bench;
  bench.fail(3);
  auto refused = bench.circuit.try_acquire();
  const auto used = core_test::in_child([&] { static_cast<void>(refused->complete(outcome::failure)); });
  CHECK(used.signal == SIGABRT);
  CHECK(used.output.find("the permit of a refused call: check the admission first") != std::string::npos);

  bench.circuit.reset();
  auto admitted = bench.circuit.try_acquire();
  CHECK(admitted->complete(outcome::success) == disposition::counted);
  CHECK_FALSE(admitted);
  CHECK(admitted->complete(outcome::success) == disposition::late);  // settled already
  CHECK(core_test::in_child([&] { static_cast<void>(admitted.rejection()); }).signal == SIGABRT);
}
