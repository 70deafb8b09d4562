// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/core/rules.hpp"

#include <pthread.h>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>

using namespace breaker_test;
using brownout::call_rejected;
using brownout::failure_exceptions;
using brownout::failure_if;
using brownout::first_match;
using brownout::ignore_exceptions;
using brownout::ignore_if;
using brownout::success_exceptions;
using brownout::success_if;

namespace {

struct not_found : std::runtime_error {
  not_found() : runtime_error{"not found"} {}
};

struct response {
  int status = 200;
};

constexpr auto server_error = [](const response& seen) { return seen.status >= 500; };
constexpr auto always = [](const auto&) { return true; };

/// Judges nothing: throws instead, whatever it is asked.
struct throwing_classifier {
  [[noreturn]] outcome operator()() const { throw std::logic_error{"no verdict"}; }
  [[noreturn]] outcome operator()(const auto&) const { throw std::logic_error{"no verdict"}; }
  [[noreturn]] outcome threw(const std::exception_ptr&) const { throw std::logic_error{"no verdict"}; }
};

/// Remembers what it was asked about.
struct recording_classifier {
  outcome operator()(const int& returned) const { return seen = &returned, outcome::ignored; }
  outcome threw(const std::exception_ptr& thrown) const { return caught = thrown, outcome::ignored; }
  mutable const int* seen = nullptr;
  mutable std::exception_ptr caught{};
};

template <class E>
auto throwing(E error) {
  return [error]() -> int { throw error; };
}

/// How the circuit took one call, from the failures it counts: a failure adds one to the two before it, a
/// success clears them, and anything else leaves them.
outcome counted(bench& bench) {
  switch (bench.circuit.snapshot().consecutive_failures) {
    case 0:
      return outcome::success;
    case 2:
      return outcome::ignored;
    case 3:
      return outcome::failure;
  }
  FAIL("more than one call was counted");
  return outcome::cancelled;
}

/// Makes the call, by `call` or `try_call`, and swallows what it throws.
template <class F, class... Classifier>
outcome judged(F function, const Classifier&... classify) {
  outcome by_call{};
  outcome by_try_call{};
  {
    bench bench{bench::defaults(), 9};
    bench.fail(2);
    try {
      static_cast<void>(bench.circuit.call(function, classify...));
    } catch (...) {
    }
    by_call = counted(bench);
  }
  {
    bench bench{bench::defaults(), 9};
    bench.fail(2);
    try {
      static_cast<void>(bench.circuit.try_call(function, classify...));
    } catch (...) {
    }
    by_try_call = counted(bench);
  }
  CHECK(by_call == by_try_call);
  return by_call;
}

std::error_code timed_out() {
  return std::make_error_code(std::errc::timed_out);
}

}  // namespace

TEST_CASE("a call that returns an error is a failure, and the error is returned", "[breaker][B7]") {
  CHECK(judged([] { return timed_out(); }) == outcome::failure);
  CHECK(judged([] { return std::error_code{}; }) == outcome::success);
  CHECK(judged([] { return std::optional<int>{}; }) == outcome::success);

  bench bench;
  CHECK(bench.circuit.call(&timed_out) == std::errc::timed_out);
  CHECK(*bench.circuit.try_call(&timed_out) == std::errc::timed_out);
  CHECK_FALSE(bench.circuit.call(&timed_out) == std::error_code{});
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("a call that returns an outcome has judged itself", "[breaker][B7]") {
  const auto said = GENERATE(outcome::success, outcome::failure, outcome::ignored);
  CHECK(judged([&] { return said; }) == said);
  CHECK(judged([] { return outcome::cancelled; }) == outcome::ignored);
}

TEST_CASE("the refusal of an inner breaker counts as nothing at the outer one", "[breaker][B7][B7c]") {
  bench inner;
  inner.circuit.force_open();
  const auto nothing = [] {};
  CHECK(judged([&] { inner.circuit.call(nothing); }) == outcome::ignored);
  CHECK(judged(throwing(call_rejected{{rejection_reason::circuit_open, 5s}})) == outcome::ignored);

  bench outer;
  outer.fail(2);
  CHECK_FALSE(outer.circuit.call([&] { return inner.circuit.try_call(nothing); }));
  CHECK_THROWS_AS(outer.circuit.call([&] { inner.circuit.call(nothing); }), call_rejected);
  CHECK(outer.circuit.snapshot().consecutive_failures == 2);

  SECTION("a probe refused further in gives its place to another") {
    outer.fail();
    outer.clock.advance(5s);
    for (int i = 0; i < 5; ++i) {
      CHECK_THROWS_AS(outer.circuit.call([&] { inner.circuit.call(nothing); }), call_rejected);
      CHECK(outer.state() == circuit_state::half_open);
      CHECK(outer.circuit.snapshot().probes_in_flight == 0);
    }
    inner.circuit.reset();
    for (int i = 0; i < 2; ++i) outer.circuit.call([&] { inner.circuit.call(nothing); });
    CHECK(outer.state() == circuit_state::closed);
  }
  SECTION("what the inner one let pass is evidence for both") {
    inner.circuit.reset();
    CHECK_THROWS_AS(outer.circuit.call([&] { inner.circuit.call(throwing(not_found{})); }), not_found);
    CHECK(outer.state() == circuit_state::open);
    CHECK(inner.circuit.snapshot().consecutive_failures == 1);
  }
  SECTION("who wants it as a failure says so") {
    CHECK(judged([&] { inner.circuit.call(nothing); }, failure_exceptions<call_rejected>()) ==
          outcome::failure);
  }
}

TEST_CASE("a classifier judges what a call returned", "[breaker][B7][C10]") {
  const auto bad_gateway = [] { return response{502}; };
  const auto good = [] { return response{}; };
  SECTION("a function of the result") {
    const auto classify = [](const response& seen) {
      return seen.status >= 500 ? outcome::failure : seen.status >= 400 ? outcome::ignored : outcome::success;
    };
    CHECK(judged(bad_gateway, classify) == outcome::failure);
    CHECK(judged([] { return response{404}; }, classify) == outcome::ignored);
    CHECK(judged(good, classify) == outcome::success);
  }
  SECTION("a rule, and the default where it does not match") {
    CHECK(judged(bad_gateway, failure_if(server_error)) == outcome::failure);
    CHECK(judged(good, failure_if(server_error)) == outcome::success);
    CHECK(judged(bad_gateway, ignore_if(server_error)) == outcome::ignored);
    CHECK(judged(&timed_out, failure_if([](std::error_code) { return false; })) == outcome::failure);
    CHECK(judged(&timed_out, success_if(always)) == outcome::success);
  }
  SECTION("of a call that returns nothing") {
    CHECK(judged([] {}, [] { return outcome::failure; }) == outcome::failure);
    CHECK(judged([] {}, [] { return outcome::ignored; }) == outcome::ignored);
  }
  SECTION("a reference: the very object, and as constant") {
    int value = 1;
    const recording_classifier classify;
    bench bench;
    CHECK(&bench.circuit.call([&]() -> int& { return value; }, classify) == &value);
    CHECK(classify.seen == &value);
  }
  SECTION("an rvalue reference: before it is moved from") {
    auto made = std::make_unique<int>(5);
    bench bench;
    bench.fail();
    const std::unique_ptr<int> taken = bench.circuit.call(
        [&]() -> std::unique_ptr<int>&& { return std::move(made); },
        [](const std::unique_ptr<int>& seen) { return seen ? outcome::success : outcome::failure; });
    CHECK(*taken == 5);
    CHECK(bench.circuit.snapshot().consecutive_failures == 0);
  }
  SECTION("a move-only value, and passes it on") {
    bench bench;
    const auto made = bench.circuit.call([] { return std::make_unique<int>(5); }, failure_if(always));
    CHECK(*made == 5);
    CHECK(bench.circuit.snapshot().consecutive_failures == 1);
  }
}

TEST_CASE("a classifier judges what a call threw, and the exception passes through", "[breaker][B7][C8]") {
  SECTION("by type") {
    CHECK(judged(throwing(not_found{}), ignore_exceptions<not_found>()) == outcome::ignored);
    CHECK(judged(throwing(not_found{}), success_exceptions<not_found>()) == outcome::success);
    CHECK(judged(throwing(17), ignore_exceptions<not_found, int>()) == outcome::ignored);
    CHECK(judged(throwing(not_found{}), failure_exceptions<not_found>()) == outcome::failure);
  }
  SECTION("as the default does, where no rule matches") {
    const first_match classify{ignore_exceptions<not_found>(), failure_if([](int) { return false; })};
    CHECK(judged(throwing(std::runtime_error{"down"}), classify) == outcome::failure);
    CHECK(judged(throwing(17), classify) == outcome::failure);
    CHECK(judged(throwing(call_rejected{{}}), classify) == outcome::ignored);
    CHECK(judged(throwing(17), ignore_exceptions<not_found>()) == outcome::failure);
    CHECK(judged(throwing(call_rejected{{}}), ignore_exceptions<not_found>()) == outcome::ignored);
  }
  SECTION("as the default does, when it has no opinion on exceptions") {
    const auto classify = [](int) { return outcome::ignored; };
    CHECK(judged(throwing(17), classify) == outcome::failure);
    CHECK(judged(throwing(call_rejected{{}}), classify) == outcome::ignored);
  }
  SECTION("the same object reaches the caller") {
    const recording_classifier classify;
    bench bench;
    const not_found* caught = nullptr;
    try {
      bench.circuit.call(throwing(not_found{}), classify);
    } catch (const not_found& thrown) {
      caught = &thrown;
    }
    REQUIRE(classify.caught);
    CHECK_THROWS_AS(std::rethrow_exception(classify.caught), not_found);
    try {
      std::rethrow_exception(classify.caught);
    } catch (const not_found& thrown) {
      CHECK(caught == &thrown);
    }
  }
}

TEST_CASE("an ignored or cancelled probe gives its place back and moves nothing", "[breaker][B4][B7]") {
  bench bench{{.open_for = 5s, .probes = 1}};
  bench.trip();
  bench.clock.advance(5s);
  for (int i = 0; i < 5; ++i) {
    CHECK_THROWS_AS(bench.circuit.call(throwing(not_found{}), ignore_exceptions<not_found>()), not_found);
    CHECK(bench.circuit.call([] { return outcome::cancelled; }) == outcome::cancelled);
    CHECK(bench.state() == circuit_state::half_open);
    CHECK(bench.circuit.snapshot().probes_in_flight == 0);
  }
  CHECK_THROWS_AS(bench.circuit.call(throwing(not_found{}), success_exceptions<not_found>()), not_found);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("a classifier that throws has said nothing: the default judges, the caller gets the answer",
          "[breaker][B5][B7][B7f][B14]") {
  const throwing_classifier classify;
  SECTION("closed") {
    CHECK(judged([] { return 1; }, classify) == outcome::success);
    CHECK(judged([] {}, classify) == outcome::success);
    CHECK(judged(&timed_out, classify) == outcome::failure);
    CHECK(judged(throwing(17), classify) == outcome::failure);
    CHECK(judged(throwing(call_rejected{{}}), classify) == outcome::ignored);
    bench bench;
    CHECK(bench.circuit.call([] { return 1; }, classify) == 1);
    CHECK(*bench.circuit.try_call([] { return std::make_unique<int>(2); }, classify).value() == 2);
    CHECK_THROWS_AS(bench.circuit.call(throwing(17), classify), int);
    CHECK_THROWS_WITH(bench.circuit.call(throwing(not_found{}), classify), "not found");
    CHECK(bench.circuit.snapshot().last_failure.view() == "not found");
  }
  SECTION("half-open") {
    bench bench{{.open_for = 5s, .probes = 1}};
    bench.trip();
    bench.clock.advance(5s);
    CHECK_THROWS_AS(bench.circuit.call(throwing(17), classify), int);
    CHECK(bench.state() == circuit_state::open);
    bench.clock.advance(5s);
    bench.circuit.call([] {}, classify);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("a predicate, and the next rule is asked") {
    const auto throws = [](const auto&) -> bool { throw std::logic_error{"no verdict"}; };
    const auto about_exceptions =
        first_match{ignore_exceptions<not_found>(throws), success_exceptions<std::exception>()};
    CHECK(judged([] { return response{503}; }, failure_if(throws)) == outcome::success);
    CHECK(judged(&timed_out, success_if(throws)) == outcome::failure);
    CHECK(judged([] { return response{503}; }, first_match{ignore_if(throws), failure_if(server_error)}) ==
          outcome::failure);
    CHECK(judged([] { return response{503}; },
                 first_match{throwing_classifier{}, failure_if(server_error)}) == outcome::failure);
    CHECK(judged(throwing(not_found{}), ignore_exceptions<not_found>(throws)) == outcome::failure);
    CHECK(judged(throwing(not_found{}), about_exceptions) == outcome::success);
    CHECK(judged(throwing(17), about_exceptions) == outcome::failure);
    bench bench;
    CHECK_THROWS_WITH(bench.circuit.call(throwing(not_found{}), about_exceptions), "not found");
  }
  SECTION("a member of what was returned: when the default throws too, the call counts as nothing") {
    struct lying_code {
      explicit operator bool() const { throw std::logic_error{"no verdict"}; }
      int value() const { return 7; }
      int category() const { return 0; }
    };
    CHECK(judged([] { return lying_code{}; }) == outcome::ignored);
    CHECK(judged([] { return lying_code{}; }, classify) == outcome::ignored);
    bench bench;
    CHECK(bench.circuit.call([] { return lying_code{}; }).value() == 7);
  }
}

TEST_CASE("a thread that ends inside a classifier gives the permit back", "[breaker][B5][B14]") {
  bench bench{{.open_for = 5s, .probes = 1}};
  bench.trip();
  bench.clock.advance(5s);
  bool went_on = false;
  const auto ends = [](int) -> bool { pthread_exit(nullptr); };
  std::thread{[&] {
    bench.circuit.call([] { return 1; }, first_match{failure_if(ends)});
    went_on = true;
  }}.join();
  CHECK_FALSE(went_on);
  CHECK(bench.state() == circuit_state::half_open);
  CHECK(bench.circuit.snapshot().probes_in_flight == 0);
}

TEST_CASE("a thread that ends inside a probe leaves no place taken", "[breaker][B5][B5e][B14]") {
  bench bench{{.open_for = 5s, .probes = 1}};
  bench.trip();
  bench.clock.advance(5s);
  const auto ends = []() -> int { pthread_exit(nullptr); };
  SECTION("by default") {
    std::thread{[&] { bench.circuit.call(ends); }}.join();
  }
  SECTION("with a classifier of exceptions, which this is not") {
    const recording_classifier classify;
    std::thread{[&] { bench.circuit.call(ends, classify); }}.join();
    CHECK_FALSE(classify.caught);
  }
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("a call is settled once, whoever throws afterwards", "[breaker][B6][B7]") {
  /// Throws when it is moved, that is, after the call was judged.
  struct throws_on_move {
    throws_on_move() = default;
    throws_on_move(throws_on_move&&) noexcept(false) { throw std::runtime_error{"moved"}; }
  };
  bench bench{bench::defaults(), 9};
  bench.fail(2);
  CHECK_THROWS_WITH(bench.circuit.try_call([] { return throws_on_move{}; }), "moved");
  CHECK(counted(bench) == outcome::success);
  CHECK(bench.circuit.snapshot().late_results == 0);
}

TEST_CASE("a refused call is not judged", "[breaker][B7]") {
  bench bench;
  bench.circuit.force_open();
  const auto classify = [](int) -> outcome { throw std::logic_error{"asked"}; };
  CHECK_THROWS_AS(bench.circuit.call([] { return 1; }, classify), call_rejected);
  CHECK_FALSE(bench.circuit.try_call([] { return 1; }, classify));
}

TEST_CASE("a result that comes late is judged, and changes nothing", "[breaker][B6][B7]") {
  bench bench;
  const auto late =
      bench.circuit.call([&] { return bench.circuit.force_open(), response{503}; }, failure_if(server_error));
  CHECK(late.status == 503);
  CHECK(bench.circuit.snapshot().late_results == 1);
  CHECK(bench.state() == circuit_state::forced_open);
}
