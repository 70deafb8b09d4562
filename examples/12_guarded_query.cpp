// SPDX-License-Identifier: BSL-1.0
//
// A query with all guards around it.
//
// The query is told its deadline. A failure is tried again as long as the budget has tokens. A circuit that
// stays open for longer than a retry may wait ends a call at once. The caller gets the last good answer, as
// long as that is not too old.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

struct played_database {
  brownout::manual_clock& clock;
  int resets = 0;  // so many connections are reset first
  std::chrono::milliseconds answers_after = 20ms;

  std::string query(const brownout::call_context& call) {
    if (resets > 0 && resets-- > 0) throw std::runtime_error{"connection reset"};
    if (clock.now() + answers_after >= call.deadline) {
      clock.advance(call.deadline - clock.now());  // a driver waits until the deadline, and no longer
      throw std::runtime_error{"no answer in time"};
    }
    clock.advance(answers_after);
    return "42 rows";
  }
};

int main() {
  brownout::manual_clock clock;  // a program of yours leaves it out
  played_database played{clock};
  brownout::circuit_breaker database{
      brownout::consecutive_failures{3}, {.name = "database", .open_for = 2min}, clock};
  brownout::bulkhead<> connections{{.name = "connections", .limit = 20}};
  brownout::retry_budget budget{{}, clock};
  const brownout::fallback last_rows{brownout::last_good{.max_age = 1min}};
  const brownout::pipeline guarded{clock,
                                   last_rows,
                                   brownout::timeout{.limit = 2s},  // for all attempts together
                                   brownout::retry{.budget = &budget, .idempotent = true},
                                   database,
                                   connections,
                                   brownout::timeout{.limit = 300ms}};  // for each attempt
  std::cout << explain(guarded) << '\n';

  const auto ask = [&] {
    brownout::call_report report;
    const auto rows = guarded.try_call([&](const auto& call) { return played.query(call); }, report);
    std::cout << "  " << rows.value_or("none") << "; attempts: " << report.attempts;
    const auto most = 250 * ((1 << report.attempts >> 1) - 1);  // half of each wait is random
    if (report.waited > 0s) std::cout << ", waits: " << most / 2 << " to " << most << " ms";
    if (report.retries_refused > 0) std::cout << ", the budget is empty";
    if (report.ended_by == brownout::guard_kind::fallback) std::cout << ", age: " << report.age / 1s << " s";
    if (report.refused) std::cout << " (" << to_string(report.refused->reason) << ")";
    if (!rows) {
      const auto wait = rows.rejection().retry_after;
      std::cout << ", refused by " << rows.rejection().guard;
      if (wait != brownout::rejection::unknown)  // of a full bulkhead it is
        std::cout << ", retry in " << std::chrono::round<std::chrono::seconds>(wait) / 1s << " s";
    }
    std::cout << '\n';
  };

  ask();
  std::cout << "Two connections are reset:\n";
  played.resets = 2;
  ask();
  std::cout << "The database is too slow. Soon the budget is empty, and then the circuit is open:\n";
  played.answers_after = 10s;
  clock.advance(5s);
  for (int i = 0; i < 3; ++i) ask();
  std::cout << "The last good answer is too old:\n";
  clock.advance(55s);
  ask();

  std::cout << "Calls that the fallback answered: " << last_rows.snapshot().answered << '\n';
}

// Output:
// 1. fallback: the last good answer, at most 1m old
// 2. timeout: 2s
// 3. retry: at most 3 tries, waits of up to 2s
// 4. circuit breaker 'database'
// 5. bulkhead 'connections': at most 20 calls at a time
// 6. timeout: 300ms
// The function is called at most 3 times. A call takes at most 2s, if the function keeps its deadlines.
//   42 rows; attempts: 1
// Two connections are reset:
//   42 rows; attempts: 3, waits: 375 to 750 ms
// The database is too slow. Soon the budget is empty, and then the circuit is open:
//   42 rows; attempts: 2, waits: 125 to 250 ms, the budget is empty, age: 6 s
//   42 rows; attempts: 1, the budget is empty, age: 6 s
//   42 rows; attempts: 0, age: 6 s (circuit open)
// The last good answer is too old:
//   none; attempts: 0 (circuit open), refused by database, retry in 65 s
// Calls that the fallback answered: 3
