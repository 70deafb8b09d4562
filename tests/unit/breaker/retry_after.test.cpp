// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/core/parse_retry_after.hpp"
#include "brownout/core/rules.hpp"

#include <pthread.h>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

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
/// What a client's own base class says, for getters that know only that.
struct answer {
  std::optional<std::chrono::seconds> wait{};
  std::optional<std::chrono::seconds> waits() { return wait; }
};
struct detailed_answer : answer {
  int status = 200;
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

TEST_CASE("what a failed call returned says how long the circuit stays open", "[breaker][B12][C11]") {
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

TEST_CASE("a getter may return any duration, or an optional of one", "[breaker][B12]") {
  const auto after = [](auto getter) {
    return refused_after([] { return response{503}; },
                         first_match{failure_if(server_error), retry_after_from(getter)});
  };
  SECTION("of any unit") {
    CHECK(after([](const response&) { return 250ms; }) == 5s);  // shorter than the period
    CHECK(after([](const response&) { return 1min; }) == 60s);
    CHECK(after([](const response&) { return std::chrono::duration<int, std::ratio<1, 3>>{60}; }) == 20s);
    CHECK(after([](const response&) { return std::chrono::duration<unsigned char>{20}; }) == 20s);
    CHECK(after([](const response&) { return std::chrono::duration<long, std::pico>{1}; }) == 5s);
  }
  SECTION("of a floating one") {
    CHECK(after([](const response&) { return std::chrono::duration<double>{20.5}; }) == 20500ms);
    CHECK(after([](const response&) { return std::chrono::duration<float, std::ratio<60>>{0.5F}; }) == 30s);
    CHECK(after([](const response&) { return 20.0s; }) == 20s);
  }
  SECTION("what is no number, or negative, says nothing; what is infinite is as long as can be") {
    using seconds = std::chrono::duration<double>;
    CHECK(after([](const response&) { return seconds{std::numeric_limits<double>::quiet_NaN()}; }) == 5s);
    CHECK(after([](const response&) { return seconds{std::numeric_limits<double>::infinity()}; }) == 5min);
    CHECK(after([](const response&) { return seconds{-std::numeric_limits<double>::infinity()}; }) == 5s);
    CHECK(after([](const response&) { return seconds{1e300}; }) == 5min);
    CHECK(after([](const response&) { return seconds{-0.0}; }) == 5s);
    CHECK(after([](const response&) { return -20s; }) == 5s);
    CHECK(after([](const response&) { return std::chrono::hours::min(); }) == 5s);
    CHECK(after([](const response&) { return std::chrono::hours::max(); }) == 5min);
  }
  SECTION("of an optional one") {
    CHECK(after([](const response&) { return std::optional{20s}; }) == 20s);
    CHECK(after([](const response&) { return std::optional{20.5s}; }) == 20500ms);
    CHECK(after([](const response&) { return std::optional<std::chrono::minutes>{}; }) == 5s);
    CHECK(after([](const response&) -> const std::optional<std::chrono::seconds>& {
            static const std::optional<std::chrono::seconds> said{20s};
            return said;
          }) == 20s);
  }
}

TEST_CASE("a getter takes what the call returns as it likes", "[breaker][B12]") {
  const auto after = [](auto getter) {
    return refused_after(
        [] {
          return detailed_answer{{20s}, 503};
        },
        first_match{failure_if([](const detailed_answer& seen) { return seen.status >= 500; }),
                    retry_after_from(getter)});
  };
  CHECK(after([](const detailed_answer& seen) { return seen.wait; }) == 20s);
  CHECK(after([](detailed_answer& seen) { return seen.waits(); }) == 20s);
  CHECK(after([](detailed_answer seen) { return seen.waits(); }) == 20s);
  CHECK(after([](const answer& seen) { return seen.wait; }) == 20s);
  CHECK(after([](answer& seen) { return seen.waits(); }) == 20s);
  CHECK(after([](auto&& seen) { return seen.wait; }) == 20s);
  CHECK(after(&detailed_answer::wait) == 20s);
  CHECK(after(&answer::waits) == 20s);

  SECTION("a reference: the very object") {
    detailed_answer kept{{20s}, 503};
    const answer* seen = nullptr;
    const auto getter = [&](answer& asked_of) { return seen = &asked_of, asked_of.wait; };
    bench bench{{.open_for = 5s}, 1};
    const first_match classify{failure_if([](const answer&) { return true; }), retry_after_from(getter)};
    CHECK(&bench.circuit.call([&]() -> detailed_answer& { return kept; }, classify) == &kept);
    CHECK(seen == &kept);
    CHECK(bench.circuit.snapshot().retry_after == 20s);
  }
  SECTION("a move-only value, and passes it on") {
    bench bench{{.open_for = 5s}, 1};
    const first_match classify{
        failure_if([](const auto&) { return true; }),
        retry_after_from([](const std::unique_ptr<answer>& seen) { return seen->wait; })};
    const auto kept = bench.circuit.call([] { return std::make_unique<answer>(answer{20s}); }, classify);
    CHECK(kept->wait == 20s);
    CHECK(bench.circuit.snapshot().retry_after == 20s);
  }
  SECTION("of an exception") {
    const auto throws = []() -> response { throw overloaded{20s}; };
    CHECK(refused_after(throws, retry_after_from<overloaded>(&overloaded::retry_after)) == 20s);
    CHECK(refused_after(throws, retry_after_from<overloaded>([](const overloaded& seen) {
                          return std::optional{seen.retry_after};
                        })) == 20s);
    CHECK(refused_after(throws, retry_after_from<overloaded>([](const std::exception&) { return 20.0s; })) ==
          20s);
    CHECK(refused_after(
              throws, retry_after_from<overloaded>([](overloaded seen) { return seen.retry_after; })) == 20s);
    CHECK(refused_after(throws, retry_after_from<overloaded>(
                                    [](const auto& seen) { return seen.retry_after; })) == 20s);
  }
}

TEST_CASE("a Retry-After header says how long the circuit stays open", "[breaker][B12]") {
  constexpr auto now = std::chrono::sys_days{std::chrono::November / 6 / 1994} + 8h + 49min;
  const auto after = [&](const char* header) {
    const auto asked_by_header = [&](const std::string& seen) {
      return brownout::parse_retry_after(seen, now);
    };
    return refused_after(
        [&] { return std::string{header}; },
        first_match{failure_if([](const std::string&) { return true; }), retry_after_from(asked_by_header)});
  };
  CHECK(after("20") == 20s);
  CHECK(after("Sun, 06 Nov 1994 08:49:37 GMT") == 37s);
  CHECK(after("Sun, 06 Nov 1994 08:00:00 GMT") == 5s);
  CHECK(after("Fri, 31 Dec 9999 23:59:59 GMT") == 5min);
  CHECK(after("0") == 5s);
  CHECK(after("later") == 5s);
  CHECK(after("") == 5s);
}

TEST_CASE("a getter is asked only after a failure", "[breaker][B12][C11]") {
  int asked_for_returned = 0;
  int asked_for_thrown = 0;
  const auto count_returned = [&](const response& seen) { return ++asked_for_returned, seen.retry_after; };
  const auto count_thrown = [&](const overloaded& seen) { return ++asked_for_thrown, seen.retry_after; };
  const auto bad_request = [](const response& seen) { return seen.status == 400; };
  const first_match classify{
      failure_if(server_error), brownout::ignore_if(bad_request),
      ignore_exceptions<overloaded>([](const overloaded& seen) { return seen.retry_after == 1s; }),
      retry_after_from(count_returned), retry_after_from<overloaded>(count_thrown)};
  CHECK(refused_after([] { return response{200, 20s}; }, classify) == 0s);
  CHECK(refused_after([] { return response{400, 20s}; }, classify) == 0s);
  CHECK(asked_for_returned == 0);
  CHECK(refused_after([]() -> response { throw overloaded{1s}; }, classify) == 0s);
  CHECK(asked_for_thrown == 0);
  CHECK(refused_after([] { return response{503, 20s}; }, classify) == 20s);
  CHECK(refused_after([]() -> response { throw overloaded{20s}; }, classify) == 20s);
  CHECK(asked_for_returned == 1);
  CHECK(asked_for_thrown == 1);
}

TEST_CASE("a getter that throws has said nothing: the failure counts, the caller gets the answer",
          "[breaker][B7][B12][B14]") {
  const auto no_number = [](const auto&) { return std::chrono::seconds{std::stoi("Fri, 31 Dec 1999")}; };
  const auto fails_always = failure_if([](const response&) { return true; });
  SECTION("of what was returned") {
    bench bench{{.open_for = 5s}, 2};
    const first_match classify{fails_always, retry_after_from(no_number)};
    CHECK(bench.circuit.call([] { return response{503}; }, classify).status == 503);
    CHECK(bench.circuit.try_call([] { return response{502}; }, classify)->status == 502);
    CHECK(bench.circuit.snapshot().failed_results == 2);
    CHECK(bench.circuit.snapshot().retry_after == 5s);
  }
  SECTION("of what was thrown: the exception of the call comes out, not the getter's") {
    bench bench{{.open_for = 5s}, 1};
    CHECK_THROWS_AS(bench.circuit.call([]() -> response { throw overloaded{20s}; },
                                       retry_after_from<overloaded>(no_number)),
                    overloaded);
    CHECK(bench.circuit.snapshot().retry_after == 5s);
    CHECK(bench.circuit.snapshot().last_failure.view() == "overloaded");
  }
  SECTION("the next rule is asked") {
    CHECK(refused_after(
              [] {
                return response{503, 20s};
              },
              first_match{fails_always, retry_after_from(no_number), retry_after_from(asked)}) == 20s);
    CHECK(refused_after([]() -> response { throw overloaded{20s}; },
                        first_match{retry_after_from<overloaded>(no_number),
                                    retry_after_from<overloaded>(thrown)}) == 20s);
  }
  SECTION("half-open: the probe opens the circuit again") {
    bench bench{{.open_for = 5s}, 1};
    bench.trip();
    bench.clock.advance(5s);
    CHECK(bench.circuit
              .call([] { return response{503}; }, first_match{fails_always, retry_after_from(no_number)})
              .status == 503);
    CHECK(bench.state() == circuit_state::open);
  }
}

TEST_CASE("a thread that ends inside a getter ends", "[breaker][B5][B14]") {
  const auto ends = [](const response&) -> std::chrono::seconds { pthread_exit(nullptr); };
  bench bench{{.open_for = 5s}, 1};
  bench.trip();
  bench.clock.advance(5s);
  bool went_on = false;
  std::thread{[&] {
    bench.circuit.call([] { return response{503}; },
                       first_match{failure_if(server_error), retry_after_from(ends)});
    went_on = true;
  }}.join();
  CHECK_FALSE(went_on);
  CHECK(bench.circuit.snapshot().probes_in_flight == 0);
}
