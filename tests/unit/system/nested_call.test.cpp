// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/system/dependency.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <stdexcept>

using namespace std::chrono_literals;
using brownout::circuit_state;
using brownout::disposition;
using brownout::outcome;

TEST_CASE("a call within a call of a dependency rides on its probe, and the dependency is back",
          "[system][B16][S1]") {
  const auto ask = [] { return 42; };
  brownout::manual_clock clock;
  brownout::dependency directory{brownout::consecutive_failures{1},
                                 {.name = "directory", .breaker = {.open_for = 10s, .successes = 1}},
                                 clock};
  CHECK_THROWS_AS(directory.call([]() -> int { throw std::runtime_error{"down"}; }), std::runtime_error);
  REQUIRE(directory.observed_state() == circuit_state::open);
  clock.advance(10s);

  const auto answer = directory.call([&] {
    auto permit = directory.try_acquire();
    REQUIRE(permit);
    CHECK(permit->complete(outcome::success) == disposition::released);
    return directory.try_call([&] { return directory.call(ask); }).value();
  });
  CHECK(answer == 42);
  CHECK(directory.observed_state() == circuit_state::closed);
  CHECK(directory.snapshot().rejections == 0);

  CHECK(directory.calls().successful == 1);  // and not one for each call within it
}

TEST_CASE("try_call of one dependency within try_call of another gives one result", "[system][B7]") {
  brownout::manual_clock clock;
  brownout::dependency outer{{.name = "outer"}, clock};
  brownout::dependency inner{{.name = "inner"}, clock};
  const auto ask = [&] { return outer.try_call([&] { return inner.try_call([] { return 42; }); }); };
  CHECK(ask() == 42);
  inner.force_open();
  CHECK_FALSE(ask().has_value());
  CHECK(outer.calls().successful == 1);
}
