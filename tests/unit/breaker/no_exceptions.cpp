// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/no_exceptions.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this file shows that the library needs neither exceptions nor RTTI: compile it without"
#endif

namespace without_exceptions {
namespace {

using namespace std::chrono_literals;
using brownout::circuit_breaker;
using brownout::consecutive_failures;
using brownout::disposition;
using brownout::manual_clock;
using brownout::no_ramp;
using brownout::outcome;

int exit_code = 0;

void print_and_exit(const char* what, const char*, int) noexcept {
  std::printf("%s", what);
  std::fflush(stdout);
  _exit(exit_code);
}

}  // namespace

std::string outage() {
  manual_clock clock;
  circuit_breaker circuit{consecutive_failures{2},
                          {.name = "plain", .open_for = 5s, .probes = 1, .successes = 1, .ramp = no_ramp},
                          clock};

  if (circuit.call([] { return 3; }) != 3) return "call";
  circuit.call([] {});
  if (*circuit.try_call([] { return std::make_unique<int>(4); }).value() != 4) return "try_call";
  int value = 0;
  if (&circuit.call([&]() -> int& { return value; }) != &value) return "reference";

  for (int i = 0; i < 2; ++i) {
    auto admitted = circuit.try_acquire();
    if (!admitted || admitted->complete(outcome::failure) != disposition::counted) return "failure";
  }
  const auto refused = circuit.try_call([] { return 5; });
  if (refused || refused.rejection().retry_after != 5s) return "rejection";
  if (refused.value_or(6) != 6) return "value_or";
  clock.advance(5s);
  const auto nested = circuit.try_call([&] { return *circuit.try_call([] { return 7; }); });
  if (!nested || *nested != 7) return "probe, and a call within it";
  return circuit.observed_state() == brownout::circuit_state::closed ? "" : "recovery";
}

std::string classified() {
  manual_clock clock;
  circuit_breaker circuit{consecutive_failures{9}, {.name = "plain"}, clock};
  const auto failures = [&] { return circuit.snapshot().consecutive_failures; };
  const auto timed_out = [] { return std::make_error_code(std::errc::timed_out); };

  if (!circuit.call(timed_out) || failures() != 1) return "an error is a failure";
  if (circuit.call([] { return 503; }, [](int) { return outcome::ignored; }) != 503 || failures() != 1) {
    return "ignored";
  }
  const brownout::first_match classify{brownout::failure_if([](int status) { return status >= 500; }),
                                       brownout::ignore_exceptions<int>()};
  if (*circuit.try_call([] { return 503; }, classify) != 503 || failures() != 2) return "failure_if";
  circuit_breaker<> inner;
  inner.force_open();
  if (circuit.call([&] { return inner.try_call([] {}); }) || failures() != 2) return "an inner refusal";
  const brownout::first_match waits{brownout::failure_if([](int status) { return status >= 500; }),
                                    brownout::retry_after_from([](int) { return std::optional{7s}; })};
  circuit_breaker told{consecutive_failures{1}, {.name = "told", .open_for = 5s}, clock};
  if (told.call([] { return 503; }, waits) != 503 || told.snapshot().retry_after != 7s) return "retry after";
  circuit.call([] {}, [] { return outcome::success; });
  return failures() == 0 ? "" : "success";
}

void build_with_invalid_option() {
  const circuit_breaker circuit{consecutive_failures{2}, {.probes = 0}};
}

void call_while_open() {
  circuit_breaker<> circuit;
  circuit.force_open();
  circuit.call([] {});
}

void exit_on_assertion(int code) {
  exit_code = code;
  brownout::set_assertion_handler(&print_and_exit);
}

}  // namespace without_exceptions
