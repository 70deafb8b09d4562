// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <stdexcept>
#include <string>

using namespace breaker_test;
using brownout::failure_if;
using brownout::first_match;
using brownout::ignore_exceptions;
using brownout::retry_after_from;

namespace {

struct response {
  int status = 200;
  std::chrono::seconds retry_after{};
};
struct overloaded : std::runtime_error {
  explicit overloaded(std::chrono::seconds wait) : std::runtime_error{"overloaded"}, retry_after{wait} {}
  std::chrono::seconds retry_after;
};

constexpr auto server_error = [](const response& seen) { return seen.status >= 500; };
constexpr auto asked = [](const response& seen) { return seen.retry_after; };
constexpr auto thrown = [](const overloaded& seen) { return seen.retry_after; };

/// How long a circuit that opens for 5 s at the first failure refuses calls after this one.
template <class F, class C>
duration refused_after(F call, const C& classify) {
  bench bench{{.open_for = 5s}, 1};
  try {
    static_cast<void>(bench.circuit.call(call, classify));
  } catch (const std::runtime_error&) {  // which is what it threw
  }
  return bench.circuit.snapshot().retry_after;
}

}  // namespace

TEST_CASE("what a failed call returned says how long the circuit stays open", "[breaker][B12]") {
  const first_match classify{failure_if(server_error), retry_after_from(asked)};
  CHECK(refused_after([] { return response{503, 20s}; }, classify) == 20s);
  CHECK(refused_after([] { return response{503}; }, classify) == 5s);
  CHECK(refused_after([] { return response{200, 20s}; }, classify) == 0s);  // no failure
  CHECK(refused_after([]() -> response { throw std::runtime_error{"no answer"}; }, classify) == 5s);
  bench bench{{.open_for = 5s}, 1};
  CHECK(bench.circuit.try_call([] { return response{503, 20s}; }, classify));
  CHECK(bench.circuit.snapshot().retry_after == 20s);
}

TEST_CASE("what a call threw says how long the circuit stays open", "[breaker][B12]") {
  const auto throws = []() -> response { throw overloaded{20s}; };
  CHECK(refused_after(throws, retry_after_from<overloaded>(thrown)) == 20s);
  CHECK(refused_after(throws, first_match{retry_after_from(asked), retry_after_from<overloaded>(thrown)}) ==
        20s);
  CHECK(refused_after(throws, first_match{ignore_exceptions<overloaded>(),
                                          retry_after_from<overloaded>(thrown)}) == 0s);
  CHECK(refused_after([]() -> response { throw std::runtime_error{"other"}; },
                      retry_after_from<overloaded>(thrown)) == 5s);
  CHECK(refused_after([] { throw overloaded{20s}; }, retry_after_from<overloaded>(thrown)) == 20s);  // void
}

TEST_CASE("of several rules the first that has heard of a wait says how long", "[breaker][B12]") {
  const auto never = [](const response&) { return 0s; };
  const first_match classify{failure_if(server_error), retry_after_from(never), retry_after_from(asked),
                             retry_after_from([](const response&) { return 1h; })};
  CHECK(refused_after([] { return response{503, 20s}; }, classify) == 20s);
}

TEST_CASE("a wait of centuries is as long as a wait can be", "[breaker][B12]") {
  const first_match classify{failure_if(server_error), retry_after_from(asked)};
  CHECK(refused_after([] { return response{503, std::chrono::seconds{9'300'000'000}}; }, classify) == 5min);
  CHECK(refused_after([] { return response{503, std::chrono::seconds::max()}; }, classify) == 5min);
  CHECK(refused_after([] { return response{503, std::chrono::seconds::min()}; }, classify) == 5s);
}
