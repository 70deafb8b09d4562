// SPDX-License-Identifier: BSL-1.0
// A breaker does its work in somebody else's program: trips, refuses, says how long, lets a probe through,
// closes.
#include <brownout/breaker/circuit_breaker.hpp>
#include <brownout/testing/manual_clock.hpp>
#include <brownout/version.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>

static_assert(__cplusplus >= 202002L, "brownout asks for C++20, so its users get it");
#if !defined(LATER_VERSION)
static_assert(BROWNOUT_VERSION_MAJOR == 0 && BROWNOUT_VERSION_MINOR == 1);
#endif

namespace {
void expect(bool condition, const char* what) {
  if (condition) return;
  std::cerr << "not so: " << what << '\n';
  std::exit(EXIT_FAILURE);
}
}  // namespace

int main() {
  using namespace std::chrono_literals;
  brownout::manual_clock clock;
  brownout::circuit_breaker database{
      brownout::consecutive_failures{2},
      {.name = "database", .open_for = 20s, .successes = 1, .ramp = brownout::no_ramp},
      clock};

  expect(database.call([] { return 42; }) == 42, "a call returns what the function returns");
  for (int i = 0; i < 2; ++i) {
    auto admitted = database.try_acquire();
    expect(static_cast<bool>(admitted), "a closed circuit admits");
    admitted->complete(brownout::outcome::failure);
  }
  const auto refused = database.try_call([] { return 42; });
  expect(!refused, "two failures in a row open the circuit");
  expect(refused.rejection() == brownout::rejection{brownout::rejection_reason::circuit_open, 20s},
         "a rejection says why and how long");
  clock.advance(20s);
  expect(database.try_call([] { return 42; }).value_or(0) == 42, "the open period over, a probe passes");
  expect(database.observed_state() == brownout::circuit_state::closed, "its success closes the circuit");
}
