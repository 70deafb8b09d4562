// SPDX-License-Identifier: BSL-1.0
//
// A log that says why a circuit opened.
//
// A listener is called when an outage begins, when it ends, and when an operator does something. With
// `announcements::every_transition` it also hears of probes and repeated openings. It runs on the thread that
// caused the transition, or on one that already delivers. The event has the reason and the figures of that
// moment: nothing has to be read from a circuit that has moved on.
#include <brownout/breaker.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

// One line for each event, as a log would show it. `explain(event)` of <brownout/brownout.hpp> writes such a
// line for you.
void log(std::string_view name, const brownout::transition_event& event) {
  const auto seconds = [](brownout::duration time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
  };
  std::cout << "  " << name << ": ";
  if (event.would_have_opened()) {
    std::cout << "would have opened";
  } else {
    std::cout << to_string(event.from) << " -> " << to_string(event.to);
  }
  std::cout << ", " << to_string(event.cause);
  if (event.consecutive_failures > 0) std::cout << ", " << event.consecutive_failures << " failures in a row";
  if (event.calls > 0) std::cout << ", " << event.failures << " of " << event.calls << " calls failed";
  if (!event.text.empty()) std::cout << ", last: " << event.text.view();
  if (event.outage_lasted > 0s) {
    std::cout << ", after " << seconds(event.outage_lasted) << " s and " << event.cycle << " openings";
  }
  std::cout << '\n';
}

int main() {
  brownout::manual_clock clock;  // a program of yours leaves it out
  bool is_up = true;
  const auto query = [&]() -> std::string {
    if (!is_up) throw std::runtime_error{"connection refused"};
    return "42 rows";
  };
  const auto ask = [&](auto& breaker) {
    try {
      static_cast<void>(breaker.call(query));
    } catch (const std::exception&) {  // failed, or rejected
    }
  };

  std::cout << "Three failures in a row:\n";
  brownout::circuit_breaker database{
      brownout::consecutive_failures{3},
      {.name = "database", .open_for = 20s, .successes = 1, .ramp = brownout::no_ramp},
      clock};
  const auto logged =
      database.subscribe([&](const auto& event) { log(database.name(), event); });  // while it lives
  is_up = false;
  for (int i = 0; i < 3; ++i) ask(database);
  clock.advance(20s);
  ask(database);  // the probe fails: the outage goes on, and is not announced again
  clock.advance(20s);
  is_up = true;
  ask(database);

  std::cout << "Half of the calls fail:\n";
  brownout::circuit_breaker search{
      brownout::failure_rate<>{.threshold = 0.5, .minimum_calls = 10}, {.name = "search"}, clock};
  const auto logged_too = search.subscribe([&](const auto& event) { log(search.name(), event); });
  for (int i = 0; i < 10; ++i) {
    is_up = i % 2 == 0;
    ask(search);
  }

  std::cout << "A trial on live traffic, which never opens:\n";
  search.measure_only();
  for (int i = 0; i < 10; ++i) ask(search);

  std::cout << "An operator, and the program itself:\n";
  database.force_open();
  database.reset();
  database.trip("the health endpoint says: shutting down");
}

// Output:
// Three failures in a row:
//   database: closed -> open, consecutive_failures, 3 failures in a row, last: connection refused
//   database: half_open -> closed, probes_succeeded, after 40 s and 2 openings
// Half of the calls fail:
//   search: closed -> open, failure_rate, 5 of 10 calls failed, last: connection refused
// A trial on live traffic, which never opens:
//   search: open -> metrics_only, operator
//   search: would have opened, failure_rate, 10 of 10 calls failed, last: connection refused
// An operator, and the program itself:
//   database: closed -> forced_open, operator
//   database: forced_open -> closed, operator
//   database: closed -> open, trip, last: the health endpoint says: shutting down
