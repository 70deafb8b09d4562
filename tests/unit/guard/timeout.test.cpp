// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/refusal_of.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <concepts>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using brownout::call_context;
using brownout::call_rejected;
using brownout::call_report;
using brownout::call_timed_out;
using brownout::circuit_breaker;
using brownout::consecutive_failures;
using brownout::duration;
using brownout::ignoring_deadline;
using brownout::late_value;
using brownout::manual_clock;
using brownout::pipeline;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;
using brownout::timeout;

namespace {

struct bench {
  manual_clock clock{};

  /// A function that takes so long, and returns 7.
  [[nodiscard]] auto taking(duration how_long) {
    return [this, how_long](const call_context&) {
      clock.advance(how_long);
      return 7;
    };
  }
};

}  // namespace

TEST_CASE("a function is told the nearest deadline around it", "[guard][O1]") {
  bench on;
  on.clock.advance(5s);
  const auto deadline = [](const call_context& call) { return call.deadline.time_since_epoch(); };
  CHECK(pipeline{on.clock, timeout{.limit = 2s}}.call(deadline) == 7s);
  CHECK(pipeline{on.clock, timeout{.limit = 2s}, timeout{.limit = 300ms}}.call(deadline) == 5300ms);
  CHECK(pipeline{on.clock, timeout{.limit = 300ms}, timeout{.limit = 2s}}.call(deadline) == 5300ms);
  const pipeline guarded{on.clock, timeout{.limit = 2s}};
  CHECK(guarded.call({.deadline = on.clock.now() + 1s}, deadline) == 6s);
  CHECK(guarded.call({.deadline = on.clock.now() + 3s}, deadline) == 7s);
  SECTION("without a timeout, the deadline of the caller, or none") {
    circuit_breaker database;
    const pipeline unlimited{on.clock, database};
    CHECK(unlimited.call({.deadline = on.clock.now() + 1s}, deadline) == 6s);
    CHECK(unlimited.call(deadline) == call_context::no_deadline.time_since_epoch());
  }
}

TEST_CASE("a function that ignores the deadline says so", "[guard][O2]") {
  bench on;
  const pipeline guarded{on.clock, timeout{.limit = 2s}};
  CHECK(guarded.call(ignoring_deadline([] { return 3; })) == 3);
  auto counting = ignoring_deadline([calls = 0]() mutable { return ++calls; });
  CHECK(guarded.call(counting) == 1);
  CHECK(guarded.call(counting) == 2);
}

TEST_CASE("a call whose deadline has passed is not made", "[guard][O3]") {
  bench on;
  int calls = 0;
  const auto count = [&](const call_context&) { return ++calls; };
  const pipeline guarded{on.clock, timeout{.name = "query", .limit = 1s}};
  SECTION("on the tick") {
    const auto answer = guarded.try_call({.deadline = on.clock.now()}, count);
    CHECK(answer.rejection() ==
          rejection{rejection_reason::deadline_passed, rejection::unknown, false, "query"});
    CHECK(calls == 0);
  }
  SECTION("one tick before it is made") {
    CHECK(guarded.try_call({.deadline = on.clock.now() + 1ns}, count).has_value());
  }
  SECTION("by call(), as an exception that is no time-out") {
    CHECK_THROWS_AS(guarded.call({.deadline = on.clock.now()}, count), call_rejected);
    try {
      guarded.call({.deadline = on.clock.now()}, count);
    } catch (const call_timed_out&) {
      FAIL("it was never begun");
    } catch (const call_rejected&) {
    }
  }
}

TEST_CASE("a late value is returned, and counts as a failure outside", "[guard][O4]") {
  bench on;
  circuit_breaker outer{consecutive_failures{1}, {.open_for = 1s}, on.clock};
  circuit_breaker inner{consecutive_failures{1}, {.open_for = 1s}, on.clock};
  call_report report;
  SECTION("in time") {
    const pipeline guarded{on.clock, outer, timeout{.limit = 100ms}, inner};
    CHECK(*guarded.try_call({.report = &report}, on.taking(100ms - 1ns)) == 7);
    CHECK_FALSE(report.late);
    CHECK(outer.observed_state() == brownout::circuit_state::closed);
  }
  SECTION("at the deadline") {
    const pipeline guarded{on.clock, outer, timeout{.limit = 100ms}, inner};
    CHECK(*guarded.try_call({.report = &report}, on.taking(100ms)) == 7);
    CHECK(report.late);
    CHECK(outer.observed_state() == brownout::circuit_state::open);
    CHECK(inner.observed_state() == brownout::circuit_state::closed);
  }
  SECTION("discarded") {
    const pipeline guarded{on.clock, outer,
                           timeout{.name = "query", .limit = 100ms, .late = late_value::discard}, inner};
    const auto answer = guarded.try_call({.report = &report}, on.taking(1s));
    CHECK(answer.rejection() == rejection{rejection_reason::timed_out, rejection::unknown, true, "query"});
    CHECK(report.late);
    CHECK(outer.observed_state() == brownout::circuit_state::open);
  }
  SECTION("a coarse clock decides the same") {
    on.clock.set_coarse_lag(brownout::coarse_resolution);
    const pipeline guarded{on.clock, timeout{.limit = 100ms}};
    guarded.try_call({.report = &report}, on.taking(100ms - 1ns)).value();
    CHECK_FALSE(report.late);
    guarded.try_call({.report = &report}, on.taking(100ms)).value();
    CHECK(report.late);
  }
  SECTION("of an inner pipeline too") {
    const pipeline guarded{on.clock, outer, pipeline{inner, timeout{.limit = 100ms}}};
    CHECK(*guarded.try_call(on.taking(1s)) == 7);
    CHECK(outer.observed_state() == brownout::circuit_state::open);
    CHECK(inner.observed_state() == brownout::circuit_state::open);
  }
}

TEST_CASE("a refusal that comes late stays what it is", "[guard][O4]") {
  bench on;
  const rejection why{rejection_reason::rate_limited, 5s, true};
  const pipeline guarded{on.clock, timeout{.limit = 100ms, .late = late_value::discard}};
  call_report report;
  const auto answer = guarded.try_call({.report = &report}, [&](const call_context&) -> result<int> {
    on.clock.advance(1s);
    return why;
  });
  CHECK(answer == why);
  CHECK_FALSE(report.late);
}

TEST_CASE("an exception of the function is never replaced", "[guard][O7]") {
  bench on;
  const pipeline guarded{on.clock, timeout{.limit = 100ms, .late = late_value::discard}};
  CHECK_THROWS_WITH(guarded.call([&](const call_context&) -> int {
    on.clock.advance(1s);
    throw std::runtime_error{"constraint violated"};
  }),
                    "constraint violated");
}

TEST_CASE("a time-out is a failure for those outside, thrown or returned", "[guard][O4][C13]") {
  bench on;
  circuit_breaker outer{consecutive_failures{1}, {.open_for = 1s}, on.clock};
  const pipeline inner{on.clock, timeout{.limit = 100ms, .late = late_value::discard}};
  SECTION("thrown") {
    CHECK_THROWS_AS(outer.call([&] { return inner.call(on.taking(1s)); }), call_timed_out);
  }
  SECTION("thrown, with a classifier of its own") {
    CHECK_THROWS_AS(outer.call([&] { return inner.call(on.taking(1s)); },
                               brownout::ignore_exceptions<std::logic_error>()),
                    call_timed_out);
  }
  SECTION("returned") {
    CHECK_FALSE(outer.try_call([&] { return inner.try_call(on.taking(1s)); }));
  }
  SECTION("inside another exception") {
    CHECK_THROWS_AS(outer.call([&] {
      try {
        inner.call(on.taking(1s));
      } catch (...) {
        std::throw_with_nested(std::runtime_error{"could not load the page"});
      }
    }),
                    std::runtime_error);
  }
  CHECK(outer.observed_state() == brownout::circuit_state::open);
}

TEST_CASE("the earliest and the latest deadline are deadlines as any other", "[guard][O3]") {
  manual_clock clock;
  const pipeline guarded{clock, timeout{.limit = 1s}};
  const auto deadline = [](const call_context& call) { return call.deadline; };
  CHECK(guarded.try_call({.deadline = (brownout::time_point::min)()}, deadline).rejection().reason ==
        rejection_reason::deadline_passed);
  CHECK(guarded.call({.deadline = call_context::no_deadline}, deadline) == clock.now() + 1s);
  CHECK(guarded.call({.deadline = call_context::no_deadline - 1ns}, deadline) == clock.now() + 1s);
  clock.set((brownout::time_point::min)());
  CHECK(guarded.call(deadline) == clock.now() + 1s);
}

TEST_CASE("a limit must be said, within its range", "[guard][O9]") {
  static_assert(!std::default_initializable<decltype(timeout::limit)>);
  CHECK(refusal_of(timeout{.limit = 100us}).empty());
  CHECK(refusal_of(timeout{.limit = 24h}).empty());
  CHECK(refusal_of(timeout{.limit = 0s}) == "timeout.limit = 0s: allowed is 100us to 24h");
  CHECK(refusal_of(timeout{.limit = -1s}) == "timeout.limit = -1s: allowed is 100us to 24h");
  CHECK(refusal_of(timeout{.limit = (duration::max)()}) ==
        "timeout.limit = over 100 years: allowed is 100us to 24h");
  CHECK(refusal_of(timeout{.name = std::string(129, 'x'), .limit = 1s}).find("timeout.name") == 0);
  CHECK_THROWS_WITH(pipeline(timeout{.limit = 0s}), "pipeline: timeout.limit = 0s: allowed is 100us to 24h");
}
