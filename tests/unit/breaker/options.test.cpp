// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <stdexcept>
#include <string>

using namespace breaker_test;

namespace {

/// What a breaker with these options says: the exception's text, or nothing when it can be built.
std::string refusal(breaker_options options, consecutive_failures detector = {}) {
  try {
    const tested_breaker built{detector, std::move(options), manual_clock{}};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("options at their limits are accepted", "[breaker][options]") {
  CHECK(refusal({}) == "");
  CHECK(refusal({.open_for = 1ms}) == "");
  CHECK(refusal({.open_for = 24h}) == "");
  CHECK(refusal({.probes = 1}) == "");
  CHECK(refusal({.probes = 255}) == "");
  CHECK(refusal({.lease = 0s}) == "");
  CHECK(refusal({.lease = 1ms}) == "");
  CHECK(refusal({.lease = 24h}) == "");
  CHECK(refusal({.name = std::string(128, 'n')}) == "");
  CHECK(refusal({}, {.threshold = 1}) == "");
  CHECK(refusal({}, {.threshold = 1'000'000}) == "");
}

TEST_CASE("an option outside its range is refused with its name, its value and the range",
          "[breaker][options]") {
  CHECK(refusal({.open_for = 1ms - 1ns}) == "breaker_options.open_for = 999.999us: allowed is 1ms to 24h");
  CHECK(refusal({.open_for = 24h + 1ns}) == "breaker_options.open_for = 24h1ns: allowed is 1ms to 24h");
  CHECK(refusal({.open_for = 0s}) == "breaker_options.open_for = 0s: allowed is 1ms to 24h");
  CHECK(refusal({.open_for = -5s}) == "breaker_options.open_for = -5s: allowed is 1ms to 24h");
  CHECK(refusal({.probes = 0}) == "breaker_options.probes = 0: allowed is 1 to 255");
  CHECK(refusal({.probes = 256}) == "breaker_options.probes = 256: allowed is 1 to 255");
  CHECK(refusal({.lease = 1us}) == "breaker_options.lease = 1us: allowed is 1ms to 24h");
  CHECK(refusal({.lease = -1s}) == "breaker_options.lease = -1s: allowed is 1ms to 24h");
  CHECK(refusal({.lease = 24h + 1ms}) == "breaker_options.lease = 24h1ms: allowed is 1ms to 24h");
  CHECK(refusal({.name = std::string(129, 'n')}) ==
        "breaker_options.name = " + std::string(128, 'n') + "...: allowed is up to 128 bytes");
  CHECK(refusal({}, {.threshold = 0}) == "consecutive_failures.threshold = 0: allowed is 1 to 1000000");
  CHECK(refusal({}, {.threshold = 1'000'001}) ==
        "consecutive_failures.threshold = 1000001: allowed is 1 to 1000000");
}

TEST_CASE("defaults are the documented ones", "[breaker][options]") {
  const brownout::circuit_breaker circuit;
  CHECK(circuit.options().open_for.waits_for_refusals());
  CHECK(circuit.options().open_for.least(1, 0s, 0.5) == 100ms);
  CHECK(circuit.options().open_for.most(100ms) == 1min);
  CHECK_FALSE(circuit.options().open_on_retry_after);
  CHECK(circuit.options().probes == 1);
  CHECK(circuit.options().successes == 3);
  CHECK(circuit.options().ramp.first == 6);
  CHECK(circuit.options().ramp.successes == 10);
  CHECK(circuit.options().relapse_within == 10s);
  CHECK(circuit.options().seed == 0);
  CHECK(brownout::circuit_breaker{consecutive_failures{}, {.probes = 7}}.options().successes == 7);
  CHECK(circuit.options().lease == 72s);
  CHECK(circuit.name().empty());
  CHECK(consecutive_failures{}.threshold == 5);
}

TEST_CASE("the shortest and the longest open period end on their tick", "[breaker][options]") {
  const duration period = GENERATE(duration{1ms}, duration{24h});
  bench bench{{.open_for = period}};
  bench.trip();
  bench.clock.advance(period - 1ns);
  CHECK_FALSE(bench.circuit.try_acquire());
  bench.clock.advance(1ns);
  CHECK(bench.circuit.try_acquire());
}
