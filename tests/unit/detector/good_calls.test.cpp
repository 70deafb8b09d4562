// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"

using namespace breaker_test;
using brownout::count_window;
using brownout::failure_rate;
using brownout::slow_call_rate;
using brownout::time_window;

namespace {

template <class Detector>
constexpr bool enters_good_calls_alone =
    requires(typename Detector::template history<brownout::std_atomics>& past) {
  Detector::record_good(past, brownout::call_sample{});
};

// Where a good call can change the marks, or may be slow, it is judged.
static_assert(enters_good_calls_alone<failure_rate<time_window>>);
static_assert(!enters_good_calls_alone<failure_rate<count_window>>);
static_assert(!enters_good_calls_alone<slow_call_rate<time_window>>);
static_assert(!enters_good_calls_alone<consecutive_failures>);

}  // namespace

TEST_CASE("good calls stand in a window of time and keep the share of failures down", "[detector]") {
  manual_clock clock;
  brownout::circuit_breaker<failure_rate<time_window>, manual_clock> circuit{
      {.threshold = 0.5, .minimum_calls = 10, .window = {10s}}, bench::plain({.open_for = 5s}), clock};
  const auto report = [&](outcome result) {
    return circuit.try_acquire()->complete(result) == disposition::counted;
  };
  for (int i = 0; i < 10; ++i) REQUIRE(report(outcome::success));
  for (int i = 0; i < 9; ++i) REQUIRE(report(outcome::failure));
  CHECK(circuit.snapshot().calls == 19);
  CHECK(circuit.snapshot().failures == 9);
  CHECK(circuit.observed_state() == circuit_state::closed);

  SECTION("until their time is over") {
    clock.advance(10s);
    REQUIRE(report(outcome::success));
    CHECK(circuit.snapshot().calls == 1);
  }
  SECTION("and one more failure is half of them") {
    REQUIRE(report(outcome::failure));
    CHECK(circuit.observed_state() == circuit_state::open);
  }
  SECTION("and a good call of an older epoch is late") {
    auto old = circuit.try_acquire();
    circuit.reset();
    CHECK(old->complete(outcome::success) == disposition::late);
    CHECK(circuit.snapshot().calls == 0);
  }
}
