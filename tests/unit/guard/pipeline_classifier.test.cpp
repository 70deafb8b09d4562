// SPDX-License-Identifier: BSL-1.0
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/retry_after.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "catch2.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>

using namespace std::chrono_literals;
using brownout::call_context;
using brownout::circuit_breaker;
using brownout::circuit_state;
using brownout::consecutive_failures;
using brownout::failure_if;
using brownout::fallback;
using brownout::manual_clock;
using brownout::pipeline;
using brownout::result;
using brownout::retry;
using brownout::retry_budget;
using brownout::timeout;

namespace {

/// Takes anything. Of a `result` it would ask whether there is a value.
constexpr auto is_nothing = [](const auto& found) { return !found; };

}  // namespace

TEST_CASE("a predicate that takes anything judges the value in a pipeline, too", "[guard][P9]") {
  manual_clock clock;
  circuit_breaker database{consecutive_failures{1}, {}, clock};
  const auto none = [](const call_context&) { return std::optional<int>{}; };
  const auto row = [](const call_context&) { return std::optional{7}; };
  SECTION("for a breaker") {
    const pipeline guarded{database};
    CHECK(guarded.call(row, failure_if(is_nothing)) == 7);
    CHECK(database.observed_state() == circuit_state::closed);
    CHECK_FALSE(guarded.call(none, failure_if(is_nothing)));
  }
  SECTION("for a breaker around a time-out") {
    const pipeline guarded{clock, database, timeout{.limit = 1s}};
    CHECK_FALSE(guarded.call(none, failure_if(is_nothing)));
  }
  SECTION("for a fallback") {
    const pipeline guarded{fallback{std::optional{0}}, database};
    CHECK(guarded.call(none, failure_if(is_nothing)) == 0);
  }
  CHECK(database.observed_state() == circuit_state::open);
}

TEST_CASE("a predicate that takes anything judges the value for a retry", "[guard][P9]") {
  manual_clock clock;
  retry_budget budget{{}, clock};
  int calls = 0;
  const pipeline guarded{clock, retry{.tries = 3, .budget = &budget, .idempotent = true}};
  const auto late_row = [&] { return ++calls < 3 ? std::nullopt : std::optional{7}; };
  CHECK(guarded.call(late_row, failure_if(is_nothing)) == 7);
}

TEST_CASE("a classifier of a pipeline judges a rejection as the default does", "[guard][P9]") {
  circuit_breaker outer{consecutive_failures{1}, {}};
  circuit_breaker inner;
  inner.force_open();
  const pipeline guarded{outer, inner};
  CHECK_FALSE(guarded.try_call([] { return 1; }, failure_if([](const auto&) { return true; })));
  CHECK(outer.observed_state() == circuit_state::closed);
}

TEST_CASE("a function that returns a result has it judged", "[guard][P9]") {
  circuit_breaker database{consecutive_failures{1}, {}};
  const pipeline guarded{database};
  const auto asked = [] { return result<int>{brownout::rejection{}}; };
  CHECK_FALSE(guarded.try_call(asked, failure_if([](const result<int>& got) { return !got.has_value(); })));
  CHECK(database.observed_state() == circuit_state::open);
}

TEST_CASE("the other rules of a classifier hold in a pipeline, too", "[guard][P9]") {
  manual_clock clock;
  circuit_breaker database{consecutive_failures{1}, {.open_for = 1s}, clock};
  const pipeline guarded{database};
  const auto rules =
      brownout::first_match(brownout::ignore_exceptions<std::invalid_argument>(),
                            failure_if([](int status) { return status >= 500; }),
                            brownout::retry_after_from([](int status) { return status == 503 ? 60s : 0s; }));
  CHECK_THROWS_AS(guarded.call([]() -> int { throw std::invalid_argument{"no such row"}; }, rules),
                  std::invalid_argument);
  CHECK(database.observed_state() == circuit_state::closed);
  CHECK(guarded.call([] { return 503; }, rules) == 503);
  const auto refused = guarded.try_call([] { return 200; }, rules);
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection().retry_after == 60s);
}
