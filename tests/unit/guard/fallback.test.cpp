// SPDX-License-Identifier: BSL-1.0
#include "brownout/guard/fallback.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "catch2.hpp"

#include <chrono>
#include <exception>
#include <initializer_list>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using brownout::bulkhead;
using brownout::call_context;
using brownout::call_rejected;
using brownout::call_report;
using brownout::circuit_breaker;
using brownout::failure;
using brownout::fallback;
using brownout::guard_kind;
using brownout::manual_clock;
using brownout::outcome;
using brownout::pipeline;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;

namespace {

/// A function that takes so long, and then does this.
template <class F>
[[nodiscard]] auto after(manual_clock& clock, brownout::duration how_long, F then) {
  return [&clock, how_long, then](const call_context&) {
    clock.advance(how_long);
    return then();
  };
}

const brownout::first_match judge{brownout::failure_if([](int status) { return status >= 500; }),
                                  brownout::ignore_if([](int status) { return status == 400; })};

/// The text of the exception that a call throws, and behind it that of the exception nested in it.
template <class F>
std::string thrown_by(const F& function) {
  try {
    function();
  } catch (const std::exception& thrown) {
    std::string text{thrown.what()};
    try {
      std::rethrow_if_nested(thrown);
    } catch (const std::exception& nested) {
      text.append(" <- ").append(nested.what());
    }
    return text;
  }
  return "nothing";
}

static_assert(brownout::guard_stage<fallback<int>>);

}  // namespace

TEST_CASE("a fallback answers for failures and rejections, and for nothing else", "[guard][F1]") {
  const pipeline guarded{fallback{-1}};
  const auto of = [&](auto function) { return guarded.try_call(function, judge); };
  SECTION("a success") {
    CHECK(*of([] { return 200; }) == 200);
  }
  SECTION("a value that is a failure") {
    CHECK(*of([] { return 503; }) == -1);
  }
  SECTION("a value that is ignored") {
    CHECK(*of([] { return 400; }) == 400);
  }
  SECTION("an exception that is a failure") {
    CHECK(*of([]() -> int { throw std::runtime_error{"reset"}; }) == -1);
  }
  SECTION("an exception that is ignored") {
    CHECK_THROWS_AS(of([]() -> int { throw std::bad_alloc{}; }), std::bad_alloc);
  }
  SECTION("an exception that is a success") {
    CHECK_THROWS_AS(guarded.try_call([]() -> int { throw std::out_of_range{"not found"}; },
                                     brownout::success_exceptions<std::out_of_range>()),
                    std::out_of_range);
  }
  SECTION("a rejection, returned or thrown") {
    CHECK(*of([]() -> result<int> { return rejection{rejection_reason::circuit_open}; }) == -1);
    CHECK(*of([]() -> int { throw call_rejected{{rejection_reason::rate_limited}}; }) == -1);
  }
  SECTION("a call that its caller gave up") {
    const pipeline cancelled{fallback{outcome::success}};
    CHECK(*cancelled.try_call([] { return outcome::cancelled; }) == outcome::cancelled);
    const rejection why{rejection_reason::cancelled, rejection::unknown, true};
    CHECK(of([&]() -> result<int> { return why; }) == why);
    CHECK_THROWS_AS(of([&]() -> int { throw call_rejected{why}; }), call_rejected);
  }
  SECTION("a rejection that the classifier takes for a success, or for given up") {
    const auto said = GENERATE(outcome::success, outcome::cancelled);
    CHECK_FALSE(guarded.try_call([]() -> result<int> { return rejection{}; },
                                 [&](const result<int>&) { return said; }));
    CHECK_THROWS_AS(guarded.try_call([]() -> int { throw call_rejected{rejection{}}; },
                                     brownout::success_exceptions<call_rejected>()),
                    call_rejected);
  }
}

TEST_CASE("a fallback gives what the call returns", "[guard][F1]") {
  const auto fail = [] { throw std::runtime_error{"reset"}; };
  SECTION("a value that converts to it") {
    CHECK(pipeline{fallback{"none"}}.call([&]() -> std::string { return fail(), ""; }) == "none");
  }
  SECTION("what only moves, by a function") {
    const pipeline guarded{fallback{[] { return std::make_unique<int>(7); }}};
    CHECK(*guarded.call([&]() -> std::unique_ptr<int> { return fail(), nullptr; }) == 7);
  }
  SECTION("a reference") {
    int object = 0;
    const pipeline guarded{fallback{[&]() -> int& { return object; }}};
    CHECK(&guarded.call([&]() -> int& { return fail(), object; }) == &object);
  }
  SECTION("nothing") {
    int ran = 0;
    CHECK(pipeline{fallback{[&] { ++ran; }}}.try_call(fail).has_value());
    CHECK(ran == 1);
  }
  SECTION("the result of another pipeline, which may refuse too") {
    circuit_breaker replica{{.name = "replica"}};
    const pipeline second{replica};
    const pipeline guarded{fallback{[&] { return second.try_call([] { return 2; }); }}};
    CHECK(*guarded.try_call([&]() -> int { return fail(), 1; }) == 2);
    replica.force_open();
    CHECK(guarded.try_call([&]() -> int { return fail(), 1; }).rejection().guard == "replica");
  }
}

TEST_CASE("a value that comes late is an answer", "[guard][F1][O4]") {
  manual_clock clock;
  SECTION("kept") {
    const pipeline guarded{clock, fallback{-1}, brownout::timeout{.limit = 100ms}};
    CHECK(guarded.call(after(clock, 1s, [] { return 7; })) == 7);
  }
  SECTION("discarded, it is none") {
    const pipeline guarded{clock, fallback{-1},
                           brownout::timeout{.limit = 100ms, .late = brownout::late_value::discard}};
    CHECK(guarded.call(after(clock, 1s, [] { return 7; })) == -1);
  }
}

TEST_CASE("a fallback runs when the guards further in have their permits back", "[guard][F2]") {
  bulkhead<> places{{.limit = 1}};
  circuit_breaker database{brownout::consecutive_failures{1}, {.name = "database"}};
  int in_flight = -1;
  bool is_counted = false;
  const pipeline guarded{fallback{[&] {
                           in_flight = static_cast<int>(places.snapshot().in_flight);
                           is_counted = database.observed_state() == brownout::circuit_state::open;
                           return -1;
                         }},
                         database, places};
  SECTION("after a value") {
    CHECK(guarded.call([] { return 503; }, judge) == -1);
  }
  SECTION("after an exception, which is handled no more") {
    CHECK(guarded.call([]() -> int { throw std::runtime_error{"reset"}; }) == -1);
    const pipeline asking{fallback{[] { return std::current_exception() == nullptr ? 1 : 2; }}};
    CHECK(asking.call([]() -> int { throw std::runtime_error{"reset"}; }) == 1);
  }
  CHECK(in_flight == 0);
  CHECK(is_counted);
}

TEST_CASE("a report says that the answer is that of the fallback, and keeps the reason", "[guard][F3]") {
  circuit_breaker database{{.name = "database"}};
  const pipeline guarded{fallback{-1}, database};
  call_report report;
  SECTION("of a rejection") {
    database.force_open_for(5s);
    CHECK(*guarded.try_call([] { return 1; }, report) == -1);
    CHECK(report.ended_by == guard_kind::fallback);
    REQUIRE(report.refused);
    CHECK(report.refused->reason == rejection_reason::forced_open);
    CHECK(report.refused->guard == "database");
    CHECK(report.attempts == 0);
  }
  SECTION("of a failure") {
    CHECK(*guarded.try_call(
              {.report = &report}, [] { return 503; }, judge) == -1);
    CHECK(report.ended_by == guard_kind::fallback);
    CHECK_FALSE(report.refused);
  }
  SECTION("not of a success") {
    CHECK(*guarded.try_call([] { return 1; }, report) == 1);
    CHECK(report.ended_by == guard_kind::none);
  }
}

TEST_CASE("a fallback counts how often it ran, over all copies of its pipeline", "[guard][F3]") {
  const fallback answer{[](const failure& why) -> int {
    if (why.rejection()) throw std::runtime_error{"no answer"};
    return -1;
  }};
  const pipeline guarded{answer};
  const auto copy = guarded;
  guarded.call([] { return 503; }, judge);
  copy.call([] { return 503; }, judge);
  copy.call([] { return 200; }, judge);
  CHECK_THROWS_AS(copy.try_call([]() -> result<int> { return rejection{}; }), std::runtime_error);
  CHECK(answer.snapshot().answered == 2);
  CHECK(answer.snapshot().unanswered == 1);
  SECTION("a rejection of its own is no answer") {
    const fallback refused{[]() -> result<int> { return rejection{rejection_reason::rate_limited}; }};
    call_report report;
    CHECK(pipeline{refused}
              .try_call(
                  {.report = &report}, [] { return 503; }, judge)
              .rejection()
              .reason == rejection_reason::rate_limited);
    CHECK(refused.snapshot().answered == 0);
    CHECK(refused.snapshot().unanswered == 1);
    CHECK(report.ended_by == guard_kind::fallback);
  }
}

TEST_CASE("the function of a fallback learns what happened", "[guard][F4]") {
  std::string seen;
  const pipeline guarded{fallback{[&](const failure& why) {
    seen = to_string(why.outcome());
    if (why.rejection()) seen.append(", ").append(to_string(why.rejection()->reason));
    if (why.exception() == nullptr) return -1;
    try {
      std::rethrow_exception(why.exception());
    } catch (const std::exception& thrown) {
      seen.append(", ").append(thrown.what());
    }
    return -1;
  }}};
  SECTION("a value") {
    guarded.call([] { return 503; }, judge);
    CHECK(seen == "failure");
  }
  SECTION("an exception") {
    guarded.call([]() -> int { throw std::runtime_error{"reset"}; });
    CHECK(seen == "failure, reset");
  }
  SECTION("a rejection") {
    guarded.try_call([]() -> result<int> { return rejection{rejection_reason::shed}; }).value();
    CHECK(seen == "ignored, shed in favour of calls of a higher priority");
  }
  SECTION("a rejection that was thrown") {
    guarded.call([]() -> int { throw brownout::call_timed_out{{rejection_reason::timed_out, 1s, true}}; });
    CHECK(seen == "failure, timed out, brownout: call ended: timed out, retry in 1s");
  }
}

TEST_CASE("an exception of a fallback reaches the caller unchanged", "[guard][F5]") {
  struct cache_is_down : std::runtime_error {
    cache_is_down() : std::runtime_error{"cache is down"} {}
  };
  const auto fail = []() -> int { throw std::runtime_error{"reset"}; };
  SECTION("as it was thrown") {
    CHECK_THROWS_AS(pipeline{fallback{[]() -> int { throw cache_is_down{}; }}}.call(fail), cache_is_down);
  }
  SECTION("with the first error nested, if it can nest one") {
    const pipeline guarded{fallback{[]() -> int {
      std::throw_with_nested(cache_is_down{});
      return 0;
    }}};
    CHECK_THROWS_AS(guarded.call(fail), cache_is_down);
    CHECK(thrown_by([&] { guarded.call(fail); }) == "cache is down <- reset");
    CHECK(thrown_by([&] {
            static_cast<void>(
                guarded.try_call([]() -> result<int> { return rejection{rejection_reason::bulkhead_full}; }));
          }) == "cache is down <- brownout: call rejected: bulkhead full");
    CHECK(thrown_by([&] { guarded.call([] { return 503; }, judge); }) ==
          "cache is down <- brownout: the call returned a failure");
  }
  SECTION("with what it has nested itself") {
    const pipeline guarded{fallback{[]() -> int {
      try {
        throw std::runtime_error{"connection refused"};
      } catch (...) {
        std::throw_with_nested(cache_is_down{});
      }
    }}};
    CHECK(thrown_by([&] { guarded.call(fail); }) == "cache is down <- connection refused");
  }
  SECTION("the first error, if it throws that again") {
    const pipeline guarded{
        fallback{[](const failure& why) -> int { std::rethrow_exception(why.exception()); }}};
    CHECK(thrown_by([&] { guarded.call(fail); }) == "reset");
  }
}

TEST_CASE("a fallback stands outside of retries and breakers", "[guard][F6]") {
  manual_clock clock;
  brownout::retry_budget budget{{}, clock};
  circuit_breaker database{brownout::consecutive_failures{2}, {.name = "database"}, clock};
  const pipeline guarded{clock, fallback{-1},
                         brownout::retry{.tries = 2, .budget = &budget, .idempotent = true}, database};
  int calls = 0;
  const auto fail = [&]() -> int { throw std::runtime_error{"reset " + std::to_string(++calls)}; };
  CHECK(guarded.call(fail) == -1);
  CHECK(calls == 2);
  CHECK(database.observed_state() == brownout::circuit_state::open);
  SECTION("in a pipeline of its own, too") {
    const pipeline inner{database};
    CHECK(pipeline{fallback{-2}, inner}.call(fail) == -2);
  }
  CHECK(calls == 2);
}

TEST_CASE("a fallback value that may hold a list of its own kind stays what it is", "[guard][F4]") {
  // As the values of JSON libraries: with braces, a copy would be a list of one.
  struct json {
    explicit json(int given) : number{given} {}
    json(std::initializer_list<json> given) : list(given) {}
    int number = 0;
    std::vector<json> list{};
  };
  const json usual(5);
  const pipeline guarded{fallback{usual}};
  const auto given = guarded.call([]() -> json { throw std::runtime_error{"reset"}; });
  CHECK(given.number == 5);
  CHECK(given.list.empty());
}
