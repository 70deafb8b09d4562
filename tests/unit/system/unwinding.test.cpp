// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/system/dependency.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <stdexcept>

using namespace std::chrono_literals;

TEST_CASE("a dependency's permit that an exception destroys is a failure, and evidence of it",
          "[system][B15][S1]") {
  brownout::manual_clock clock;
  brownout::dependency store{brownout::consecutive_failures{3}, {.name = "store"}, clock};
  const auto ask = [&] {
    auto admitted = store.try_acquire();
    throw std::runtime_error{"down"};
  };
  SECTION("destroyed by an exception") {
    CHECK_THROWS_AS(ask(), std::runtime_error);
    CHECK(store.snapshot().consecutive_failures == 1);
    CHECK(store.calls().failed == 1);
    CHECK(store.calls().successful == 0);
  }
  SECTION("destroyed otherwise, or settled before") {
    static_cast<void>(store.try_acquire());
    CHECK_THROWS_AS(
        [&] {
          auto admitted = store.try_acquire();
          auto permit = *std::move(admitted);
          permit.complete(brownout::outcome::success);
          throw std::runtime_error{"later"};
        }(),
        std::runtime_error);
    CHECK(store.snapshot().consecutive_failures == 0);
    CHECK(store.calls().failed == 0);
    CHECK(store.calls().successful == 1);
  }
}
