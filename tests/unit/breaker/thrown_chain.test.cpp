// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/core/rules.hpp"

#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <typeinfo>

using namespace breaker_test;
using brownout::call_rejected;

namespace {

struct not_found : std::runtime_error {
  not_found() : runtime_error{"not found"} {}
};
/// A text that is missing, as some classes of exceptions have it.
struct without_text : std::exception {
  const char* what() const noexcept override { return nullptr; }
};
struct plain_error {};

/// Calls, and wraps what is thrown as a layer above does.
template <class Wrapper>
auto wrapping(auto function, Wrapper wrapper) {
  return [=]() mutable {
    try {
      function();
    } catch (...) {
      std::throw_with_nested(wrapper);
    }
  };
}

const std::runtime_error query_failed{"query failed"};

/// Makes the call by either way, and swallows what it throws. Says how many failures were counted.
template <class... Classifier>
std::uint32_t failures_of(auto function, const Classifier&... classify) {
  bench bench{bench::defaults(), 9};
  CHECK_THROWS(bench.circuit.call(function, classify...));
  const auto by_call = bench.circuit.snapshot().failed_results;
  CHECK_THROWS(static_cast<void>(bench.circuit.try_call(function, classify...)));
  CHECK(bench.circuit.snapshot().failed_results == 2 * by_call);
  return by_call;
}

}  // namespace

TEST_CASE("the refusal of an inner breaker counts as nothing at the outer one, whatever it is wrapped in",
          "[breaker][B7]") {
  bench inner;
  inner.circuit.force_open();
  const auto refused = [&] { inner.circuit.call([] {}); };
  const auto not_found_below = wrapping([] { throw not_found{}; }, query_failed);
  CHECK(failures_of(wrapping(refused, query_failed)) == 0);
  CHECK(failures_of(wrapping(refused, plain_error{})) == 0);
  CHECK(failures_of(wrapping(wrapping(refused, query_failed), not_found{})) == 0);
  CHECK(failures_of(not_found_below) == 1);

  SECTION("with a classifier that has an opinion on exceptions, or none") {
    const auto returned = [] { return outcome::failure; };
    CHECK(failures_of(wrapping(refused, query_failed), returned) == 0);
    CHECK(failures_of(wrapping(refused, query_failed), brownout::ignore_exceptions<not_found>()) == 0);
    CHECK(failures_of(not_found_below, brownout::ignore_exceptions<not_found>()) == 0);
    CHECK(failures_of(not_found_below, brownout::ignore_exceptions<std::bad_cast>()) == 1);
    CHECK(failures_of(wrapping(refused, query_failed), brownout::failure_exceptions<call_rejected>()) == 1);
  }
}

TEST_CASE("a call that runs out of memory counts as nothing", "[breaker][B7][B7g]") {
  const auto no_memory = [] { throw std::bad_alloc{}; };
  CHECK(failures_of(no_memory) == 0);
  CHECK(failures_of(wrapping(no_memory, query_failed)) == 0);
  CHECK(failures_of(no_memory, brownout::ignore_exceptions<not_found>()) == 0);
  CHECK(failures_of(no_memory, brownout::failure_exceptions<std::bad_alloc>()) == 1);

  bench bench;
  auto probe = bench.first_probe();
  CHECK_THROWS_AS(bench.circuit.call(no_memory), std::bad_alloc);
  CHECK(bench.state() == circuit_state::half_open);
  CHECK(bench.circuit.snapshot().probes_in_flight == 1);
}

TEST_CASE("of a chain of exceptions the text of the outermost is kept", "[breaker][B7]") {
  bench bench{bench::defaults(), 4};  // stays closed
  const auto last = [&] { return std::string{bench.circuit.snapshot().last_failure.view()}; };
  const auto fails = [&](auto function) { CHECK_THROWS(bench.circuit.call(function)); };
  fails(wrapping([] { throw not_found{}; }, query_failed));
  CHECK(last() == "query failed");
  SECTION("when it has one") {
    fails(wrapping([] { throw not_found{}; }, plain_error{}));
    CHECK(last() == "query failed");
    fails(wrapping([] { throw not_found{}; }, without_text{}));
    CHECK(last() == "query failed");
    CHECK(bench.circuit.snapshot().failed_results == 3);
  }
  SECTION("with a classifier too") {
    const auto rule = brownout::ignore_exceptions<std::bad_cast>();
    CHECK_THROWS(bench.circuit.call(wrapping([] { throw query_failed; }, not_found{}), rule));
    CHECK(last() == "not found");
  }
}

TEST_CASE("a Retry-After is read from an exception that others are wrapped around", "[breaker][B12]") {
  struct overloaded : std::runtime_error {
    overloaded() : runtime_error{"overloaded"} {}
    duration retry_after = 30s;
  };
  const auto asked = brownout::retry_after_from<overloaded>(&overloaded::retry_after);
  const auto refused_for = [&](auto function) {
    bench bench{bench::defaults(), 1};
    CHECK_THROWS(bench.circuit.call(function, asked));
    return bench.circuit.try_acquire().rejection().retry_after;
  };
  const auto overload = [] { throw overloaded{}; };
  CHECK(refused_for(overload) == 30s);
  CHECK(refused_for(wrapping(overload, query_failed)) == 30s);
  CHECK(refused_for(wrapping(wrapping(overload, plain_error{}), query_failed)) == 30s);
  CHECK(refused_for(wrapping([] { throw not_found{}; }, query_failed)) == 5s);
}
