// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

#include <stdexcept>

using namespace registry_test;

TEST_CASE("a keyed permit that an exception destroys is a failure of its key, and lets go of the breaker",
          "[registry][B15]") {
  bench bench{1};
  const auto ask = [&] {
    auto admitted = bench.breakers.at("a").try_acquire();
    REQUIRE(admitted);
    throw std::runtime_error{"down"};
  };
  CHECK_THROWS_AS(ask(), std::runtime_error);
  CHECK(bench.breakers.at("a").snapshot().consecutive_failures == 1);
  CHECK_THROWS_AS(ask(), std::runtime_error);
  CHECK(bench.breakers.at("a").observed_state() == circuit_state::open);

  bench.clock.advance(10s);
  bench.use("b");  // takes the only room: nothing holds the other any more
  CHECK(bench.keys() == "b");
}
