// SPDX-License-Identifier: BSL-1.0
//
// One breaker around one call.
//
// A circuit breaker counts how calls to a dependency end. When too many fail, it opens and refuses further
// calls at once: the caller gets an answer in nanoseconds instead of after a time-out, and the dependency
// gets some rest. Later it lets a probe through, to find out whether the dependency is back.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

int main() {
  // A program of yours leaves the clock out and gets the real one. This one moves when told to, so that
  // the example takes no 20 seconds.
  brownout::manual_clock clock;

  // Three failures in a row open the circuit for 20 seconds; after that one good probe closes it.
  brownout::circuit_breaker database{
      brownout::consecutive_failures{3},
      {.name = "database", .open_for = 20s, .successes = 1, .ramp = brownout::no_ramp},
      clock};

  bool database_is_up = true;
  const auto query = [&]() -> std::string {
    if (!database_is_up) throw std::runtime_error{"connection refused"};
    return "42 rows";
  };

  // `call` is for code that throws: a return is a success, an exception is a failure and passes through.
  const auto ask = [&] {
    try {
      std::cout << database.call(query) << '\n';
    } catch (const brownout::call_rejected& rejected) {
      // The query was never made: here is why, and when it is worth another try.
      const auto wait = std::chrono::ceil<std::chrono::seconds>(rejected.why().retry_after);
      std::cout << "refused: " << to_string(rejected.why().reason) << ", retry in " << wait.count() << " s\n";
    } catch (const std::runtime_error& error) {
      std::cout << "failed: " << error.what() << '\n';
    }
  };

  ask();
  database_is_up = false;
  for (int i = 0; i < 4; ++i) ask();  // the third failure opens the circuit, so the fourth call is refused

  clock.advance(15s);
  ask();

  clock.advance(5s);
  database_is_up = true;
  ask();  // the open period is over: this call is the probe, and its success closes the circuit
  std::cout << "the circuit is " << to_string(database.observed_state()) << '\n';

  // `try_call` is for code that would rather look than catch: the refusal is a value.
  const auto rows = database.try_call(query);
  std::cout << rows.value_or("nothing, sorry") << '\n';
}

// Output:
// 42 rows
// failed: connection refused
// failed: connection refused
// failed: connection refused
// refused: circuit open, retry in 20 s
// refused: circuit open, retry in 5 s
// 42 rows
// the circuit is closed
// 42 rows
