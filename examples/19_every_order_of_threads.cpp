// SPDX-License-Identifier: BSL-1.0
//
// A test that runs threads in every order.
//
// A test that starts threads finds a race by luck. `explore` runs a scenario once for each order of its
// accesses to atomic variables, with up to two preemptions, and says which order fails. Your class needs its
// atomics as a template parameter; the guards and breakers of this library have one too.
#include <brownout/core/atomics.hpp>
#include <brownout/testing/exploration.hpp>
#include <brownout/testing/scheduled_atomics.hpp>

#include <iostream>

using brownout::schedule;
using brownout::scheduled_atomics;

// Lets one connection be open at a time. It looks, and then takes: another thread may come between the two.
template <class Atomics = brownout::std_atomics>
class careless_pool {
 public:
  bool try_open() {
    if (open_.load() >= 1) return false;
    open_.fetch_add(1);
    return true;
  }
  void close() { open_.fetch_sub(1); }

 private:
  typename Atomics::template atomic<int> open_{0};
};

// The same, with one step for both.
template <class Atomics = brownout::std_atomics>
class connection_pool {
 public:
  bool try_open() {
    auto open = open_.load();
    while (open < 1) {
      if (open_.compare_exchange_weak(open, open + 1)) return true;
    }
    return false;
  }
  void close() { open_.fetch_sub(1); }

 private:
  typename Atomics::template atomic<int> open_{0};
};

// Two threads want a connection. What the test itself counts is atomic too, so that an order can be changed
// there.
template <class Pool>
void use(schedule& threads) {
  Pool pool;
  scheduled_atomics::atomic<int> in_use{0};
  threads.run(2, [&](std::size_t) {
    if (!pool.try_open()) return;
    threads.expect(in_use.fetch_add(1) < 1, "two connections are open");
    in_use.fetch_sub(1);
    pool.close();
  });
}

int main() {
  const auto careless = brownout::explore({}, use<careless_pool<scheduled_atomics>>);
  std::cout << "looks, then takes: " << careless.text();

  const auto right = brownout::explore({.spurious_failures = 1}, use<connection_pool<scheduled_atomics>>);
  std::cout << "in one step: " << right.text() << '\n';
}

// Output:
// looks, then takes: 7 schedules
// failed: two connections are open
// to repeat it: .replay = "01001"
//   thread 0, variable 0: reads 0x0
//   thread 1, variable 0: reads 0x0
//   thread 1, variable 0: writes 0x1 for 0x0
//   thread 1, variable 1: writes 0x1 for 0x0
//   thread 0, variable 0: writes 0x2 for 0x1
//   thread 0, variable 1: writes 0x2 for 0x1
// in one step: 54 schedules, all within the limits
