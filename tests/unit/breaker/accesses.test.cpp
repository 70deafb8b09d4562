// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/counted_atomics.hpp"

using namespace breaker_test;

TEST_CASE("on a closed circuit without failures admission and success are one load each, and no write",
          "[breaker][B3][B3a]") {
  manual_clock clock;
  brownout::circuit_breaker<consecutive_failures, manual_clock, counted_atomics> circuit{
      consecutive_failures{3}, {.open_for = 5s}, clock};
  const auto call = [&](outcome result) { static_cast<void>(circuit.try_acquire()->complete(result)); };

  CHECK(counted_atomics::of([&] { call(outcome::success); }) == loads_and_writes{2, 0});
  circuit.reset();
  CHECK(counted_atomics::of([&] { call(outcome::success); }) == loads_and_writes{2, 0});

  // After a failure: one write to count it, one to clear it, and then none again.
  CHECK(counted_atomics::of([&] { call(outcome::failure); }).second == 2);  // the word, and a total
  CHECK(counted_atomics::of([&] { call(outcome::success); }).second == 1);
  CHECK(counted_atomics::of([&] { call(outcome::success); }) == loads_and_writes{2, 0});

  // A held circuit that lets everything pass is written to by nobody either.
  circuit.disable();
  CHECK(counted_atomics::of([&] { call(outcome::failure); }).second == 0);
  circuit.measure_only();
  CHECK(counted_atomics::of([&] { call(outcome::success); }).second == 0);

  // A rejection writes nothing but its own count.
  circuit.force_open();
  CHECK(counted_atomics::of([&] { static_cast<void>(circuit.try_acquire()); }) == loads_and_writes{1, 1});
}
