// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

using namespace registry_test;

TEST_CASE("a call within a call of a key's breaker rides on its probe, by whichever handle",
          "[registry][B16]") {
  bench bench{100};
  bench.open("a");
  bench.open("b");
  bench.clock.advance(10s);
  const auto handle = bench.breakers.at("a");
  handle.call([&] {
    CHECK(bench.breakers.at("a").call([] { return 42; }) == 42);
    CHECK(bench.breakers.at("b").try_call([&] { return handle.call([] { return 42; }); }).value() == 42);
    auto permit = bench.breakers.at("a").try_acquire();
    REQUIRE(permit);
    CHECK_FALSE(permit->is_probe());
    CHECK(permit->complete(outcome::failure) == disposition::released);
  });
  CHECK(handle.observed_state() == circuit_state::closed);
  CHECK(bench.breakers.at("b").observed_state() == circuit_state::closed);
  CHECK(handle.snapshot().rejections == 0);
}

TEST_CASE("try_call of one key within try_call of another gives one result", "[registry][B7]") {
  bench bench{100};
  const auto ask = [&] {
    return bench.breakers.at("a").try_call(
        [&] { return bench.breakers.at("b").try_call([] { return 42; }); });
  };
  CHECK(ask() == 42);
  bench.hold("b", &tested_registry::breaker_type::force_open);
  CHECK(ask() == rejection{rejection_reason::forced_open, rejection::unknown});
  CHECK(bench.breakers.at("a").snapshot().failed_results == 0);
}
