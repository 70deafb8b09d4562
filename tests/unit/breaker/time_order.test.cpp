// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

// Three threads: the first is interrupted by the second, and the second by a third, at every pair of their
// accesses to shared memory. The third lets time pass and looks, and so fixes when the epoch began that it
// sees.

using namespace breaker_test;
using brownout::transition_event;

namespace {

struct timed_scene {
  using breaker = brownout::circuit_breaker<consecutive_failures, manual_clock, interrupted_atomics>;

  manual_clock clock;
  breaker circuit{consecutive_failures{1}, bench::plain({.open_for = 5s}), clock};
  std::vector<time_point> seen;  // when the epochs of which a snapshot was taken began

  void look() { seen.push_back(circuit.snapshot().since); }
};

struct named_action {
  std::string_view name;
  void (*run)(timed_scene&);
};

constexpr named_action actions[] = {
    {"force open", [](timed_scene& s) { s.circuit.force_open(); }},
    {"reset", [](timed_scene& s) { s.circuit.reset(); }},
    {"disable", [](timed_scene& s) { s.circuit.disable(); }},
    {"call",
     [](timed_scene& s) {
       if (auto admitted = s.circuit.try_acquire()) static_cast<void>(admitted->complete(outcome::failure));
     }},
};

void let_time_pass(timed_scene& s) {
  s.clock.advance(3s);
  s.look();
}

/// Calls `run` with every pair of accesses, until it says that there are no more.
void at_every_pair_of_accesses(const std::function<bool(int access, int gap)>& run) {
  for (int access = 0;; ++access) {
    bool reached = true;
    for (int gap = 0; reached; ++gap) {
      reached = run(access, gap);
      if (!reached && gap == 0) return;
    }
  }
}

/// Has `first` interrupted before an access, and what interrupts it, `second`, before another one by time
/// that passes. False when they have fewer accesses than that.
bool interrupt(timed_scene& s, int access, int gap, const std::function<void()>& first,
               const std::function<void()>& second) {
  bool reached = false;
  interruption::action = [&] {
    interruption::action = [&] {
      reached = true;
      let_time_pass(s);
    };
    interruption::accesses_left = gap;
    second();
    interruption::accesses_left = -1;
    interruption::action = nullptr;
  };
  interruption::accesses_left = access;
  first();
  interruption::accesses_left = -1;
  interruption::action = nullptr;
  return reached;
}

}  // namespace

TEST_CASE("no epoch begins before the one that it follows", "[breaker][B2][B9][B9e]") {
  int interrupted = 0;
  for (const auto& first : actions) {
    for (const auto& second : actions) {
      at_every_pair_of_accesses([&](int access, int gap) {
        timed_scene s;
        std::vector<time_point> began;
        const auto listening =
            s.circuit.subscribe([&](const transition_event& event) { began.push_back(event.at); },
                                brownout::announcements::every_transition);
        const bool reached = interrupt(
            s, access, gap, [&] { first.run(s); }, [&] { second.run(s); });
        s.look();
        s.circuit.reset();
        s.look();
        INFO(first.name << " interrupted before access " << access << " by " << second.name << ", and that "
                        << gap << " accesses later by time that passes");
        CHECK(std::ranges::is_sorted(began));
        CHECK(std::ranges::is_sorted(s.seen));
        ++interrupted;
        return reached;
      });
    }
  }
  CHECK(interrupted > 500);
}

TEST_CASE("nobody is told to wait for longer than a whole open period", "[breaker][B3][B9][B9f]") {
  int refused = 0;
  at_every_pair_of_accesses([&](int access, int gap) {
    timed_scene s;
    duration told{};
    const bool reached = interrupt(
        s, access, gap, [&] { actions[3].run(s); },
        [&] {
          if (auto admitted = s.circuit.try_acquire(); !admitted) {
            told = admitted.rejection().retry_after;
            ++refused;
          }
        });
    INFO("an opening interrupted before access " << access << " by a call, and that " << gap
                                                 << " accesses later by time that passes");
    CHECK(told <= 5s);
    CHECK(s.circuit.snapshot().retry_after <= 5s);
    return reached;
  });
  CHECK(refused > 0);
}
