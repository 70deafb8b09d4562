// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <csignal>
#include <memory>
#include <optional>
#include <utility>

// Built with BROWNOUT_CHECK_LIFETIMES.

using brownout::outcome;

namespace {

using breaker = brownout::circuit_breaker<brownout::standard_detector, brownout::manual_clock>;

}  // namespace

TEST_CASE("a breaker that is destroyed while a permit is out is reported", "[breaker][B15][B15e]") {
  CHECK(core_test::in_child([] {
          auto database = std::make_unique<breaker>(brownout::breaker_options{.name = "database"});
          auto call = database->try_acquire();
          database.reset();
        }).signal == SIGABRT);
}

TEST_CASE("a breaker whose permits were settled, moved and dropped may be destroyed", "[breaker][B15]") {
  CHECK(core_test::in_child([] {
          breaker database{{.name = "database"}};
          database.call([] {});
          {
            auto first = database.try_acquire();
            auto moved = *std::move(first);
            auto second = database.try_acquire();
            moved = *std::move(second);  // the first call is dropped
            static_cast<void>(moved.complete(outcome::success));
            static_cast<void>(moved.complete(outcome::success));
            static_cast<void>(database.try_acquire());
          }
          database.force_open();
          static_cast<void>(database.try_acquire());
        }).exit_code == 0);
}
