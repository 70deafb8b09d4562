// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/testing/manual_clock.hpp"

#include <chrono>

using namespace std::chrono_literals;
using brownout::manual_clock;
using brownout::time_point;

TEST_CASE("a manual clock moves when told to, and its copies with it", "[testing]") {
  manual_clock clock{time_point{1h}};
  const auto copy = clock;
  CHECK(copy.now() == time_point{1h});
  clock.advance(1ns);
  CHECK(copy.now() == time_point{1h + 1ns});
  clock.set(time_point{2s});
  CHECK(copy.now() == time_point{2s});
  CHECK(manual_clock{}.now() == time_point{});
}

TEST_CASE("a manual clock's coarse reading lies behind by what the test says", "[testing][B19]") {
  manual_clock clock{time_point{1h}};
  const auto copy = clock;
  CHECK(copy.coarse_now() == time_point{1h});
  clock.set_coarse_lag(4ms);
  CHECK(copy.coarse_now() == time_point{1h - 4ms});
  CHECK(copy.now() == time_point{1h});
  clock.advance(4ms);
  CHECK(copy.coarse_now() == time_point{1h});
}
