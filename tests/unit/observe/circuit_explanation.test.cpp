// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/transition_event.hpp"
#include "brownout/detector/any_of.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/failures_within.hpp"
#include "brownout/observe/explanation.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <string>
#include <type_traits>

using namespace std::chrono_literals;
using brownout::bounded_text;
using brownout::explain;
using brownout::transition_event;

TEST_CASE("a line says what a circuit did and why", "[observe][B17]") {
  using enum brownout::circuit_state;
  using enum brownout::transition_cause;
  CHECK(explain({.from = closed,
                 .to = open,
                 .cause = failure_rate,
                 .calls = 20,
                 .failures = 12,
                 .text = bounded_text{"connection refused"}}) ==
        "closed -> open: failure_rate, 12 of 20 calls failed (connection refused)");
  CHECK(explain({.from = closed, .to = open, .cause = slow_call_rate, .calls = 20, .slow_calls = 9}) ==
        "closed -> open: slow_call_rate, 9 of 20 calls slow");
  CHECK(explain({.from = closed,
                 .to = open,
                 .cause = consecutive_failures,
                 .consecutive_failures = 10,
                 .failure_balance = 12}) == "closed -> open: consecutive_failures, 10 failures in a row");
  CHECK(explain({.from = closed, .to = open, .cause = failure_balance, .failure_balance = 20}) ==
        "closed -> open: failure_balance, 20 failures more than successes");
  CHECK(explain({.from = closed, .to = open, .cause = failures_within, .failures = 5}) ==
        "closed -> open: failures_within, 5 calls failed");
  CHECK(explain({.from = closed, .to = open, .cause = trip, .text = bounded_text{"health check"}}) ==
        "closed -> open: trip (health check)");
}

TEST_CASE("a line says of no window that it had more failures than calls", "[observe][B17]") {
  using brownout::any_of;
  brownout::manual_clock clock;
  const any_of rules{brownout::failures_within{.threshold = 8, .period = 5min},
                     brownout::failure_rate<>{.window = {5}}};
  brownout::circuit_breaker<std::remove_const_t<decltype(rules)>, brownout::manual_clock> circuit{
      rules, {.open_for = 5s}, clock};
  std::string told;
  const auto listening = circuit.subscribe([&](const transition_event& event) { told = explain(event); });
  for (int round = 0; round < 7; ++round) {
    for (int i = 0; i < 4; ++i) circuit.call([] {});
    static_cast<void>(circuit.try_acquire()->complete(brownout::outcome::failure));
  }
  CHECK(circuit.trip("health check"));
  CHECK(told == "closed -> open: trip, 7 calls failed (health check)");
}

TEST_CASE("a line says how an outage ended, and what metrics only found out", "[observe][B17]") {
  using enum brownout::circuit_state;
  using enum brownout::transition_cause;
  CHECK(explain({.from = half_open,
                 .to = closed,
                 .cause = probes_succeeded,
                 .cycle = 4,
                 .outage_lasted = 31200ms}) ==
        "half_open -> closed: probes_succeeded, after 31.2 s and 4 openings");
  CHECK(explain({.from = open, .to = disabled, .cause = operator_, .cycle = 1, .outage_lasted = 2s}) ==
        "open -> disabled: operator, after 2 s and 1 opening");
  CHECK(explain(
            {.from = metrics_only, .to = metrics_only, .cause = failure_rate, .calls = 20, .failures = 12}) ==
        "metrics_only, would have opened: failure_rate, 12 of 20 calls failed");
  CHECK(explain({.from = closed, .to = forced_open, .cause = operator_}) ==
        "closed -> forced_open: operator");
}
