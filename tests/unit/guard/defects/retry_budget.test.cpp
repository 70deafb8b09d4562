// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/guard/retry_budget.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <utility>

using namespace std::chrono_literals;
using breaker_test::interrupted_atomics;
using breaker_test::interruption;
using brownout::basic_retry_budget;
using brownout::manual_clock;
using brownout::retry_budget;

// Each test shows a defect in a small budget that is written as the library does it, and then ours.

namespace {

template <class T>
using atomic = interrupted_atomics::atomic<T>;

/// failsafe-go 0.9.7, `TryAcquirePermit`: looks first and adds later.
struct checks_then_adds {
  atomic<int> executions{12};
  atomic<int> in_flight{2};
  bool try_withdraw() {
    if (in_flight.load(std::memory_order_relaxed) >= 3) {
      const auto all = executions.load(std::memory_order_relaxed);
      if (all != 0 && in_flight.load(std::memory_order_relaxed) > 0.2 * all) return false;
    }
    in_flight.fetch_add(1, std::memory_order_relaxed);
    executions.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
};

/// tower, `TpsBudget`: sums ten slots, and subtracts from another one.
struct sums_then_subtracts {
  atomic<int> writer{1};
  std::array<atomic<int>, 10> slots{};
  bool try_withdraw() {
    auto sum = writer.load(std::memory_order_relaxed);
    for (const auto& one : slots) sum += one.load(std::memory_order_relaxed);
    if (sum < 1) return false;
    writer.fetch_add(-1, std::memory_order_relaxed);
    return true;
  }
};

/// The most retries of two callers, one of which interrupts the other before any one of its accesses.
template <class Budget>
int most_of_two(const std::function<Budget*()>& make) {
  int most = 0;
  for (int access = 0; access < 40; ++access) {
    auto* const budget = make();
    int taken = 0;
    interruption::action = [&] { taken += budget->try_withdraw() ? 1 : 0; };
    interruption::accesses_left = access;
    taken += budget->try_withdraw() ? 1 : 0;
    interruption::accesses_left = -1;
    const bool is_over = std::exchange(interruption::action, nullptr) != nullptr;
    if (!is_over) most = (std::max)(most, taken);
    delete budget;
    if (is_over) break;
  }
  return most;
}

}  // namespace

TEST_CASE("the last token of a budget is not given to two callers", "[guard][defect-27]") {
  // Two retries run and three are allowed: one more.
  CHECK(most_of_two<checks_then_adds>([] { return new checks_then_adds; }) == 2);
  CHECK(most_of_two<sums_then_subtracts>([] { return new sums_then_subtracts; }) == 2);
  using ours = basic_retry_budget<interrupted_atomics>;
  CHECK(most_of_two<ours>([] { return new ours{{.least = 1}, manual_clock{}}; }) == 1);
}

TEST_CASE("a budget allows its least without any traffic before", "[guard][defect-28]") {
  // failsafe-go#139: the minimum was ignored, since a share of no executions is nothing.
  struct by_share_alone {
    int executions = 0;
    int retries = 0;
    bool try_withdraw() {
      if (retries + 1 > 0.2 * executions) return false;
      return ++retries, true;
    }
  };
  by_share_alone twin;
  CHECK_FALSE(twin.try_withdraw());
  retry_budget budget{{.least = 3}, manual_clock{}};
  CHECK(budget.try_withdraw());

  // envoy#25660: the minimum was fixed and could not be changed.
  retry_budget strict{{.least = 0}, manual_clock{}};
  CHECK_FALSE(strict.try_withdraw());
}

TEST_CASE("retries that wait are counted when they are decided", "[guard][defect-29]") {
  // envoy#30205: retries in their wait were not counted, so that all of them left together.
  struct counts_at_the_start {
    int active = 0;
    [[nodiscard]] bool may_retry() const { return active < 3; }
    void start() { ++active; }
  };
  counts_at_the_start twin;
  int decided = 0;
  for (int call = 0; call < 1'000; ++call) decided += twin.may_retry() ? 1 : 0;  // and wait
  for (int call = 0; call < decided; ++call) twin.start();
  CHECK(twin.active == 1'000);

  retry_budget budget{{.least = 3}, manual_clock{}};
  int allowed = 0;
  for (int call = 0; call < 1'000; ++call) allowed += budget.try_withdraw() ? 1 : 0;
  CHECK(allowed == 3);
}

TEST_CASE("a budget follows the traffic again after a silence", "[guard][defect-30]") {
  // venice#1498: after a period without requests the budget was never computed again.
  struct stops_at_zero {
    int requests = 0;
    double budget = 0;
    bool goes_on = true;
    void end_period() {
      if (!goes_on) return;
      goes_on = requests != 0;
      if (goes_on) budget = 0.2 * std::exchange(requests, 0);
    }
  };
  stops_at_zero twin{.requests = 10};
  twin.end_period();
  twin.end_period();
  twin.requests = 10'000;
  twin.end_period();
  CHECK(twin.budget == 2);

  manual_clock clock;
  retry_budget budget{{.ratio = 0.2, .least = 3}, clock};
  for (int i = 0; i < 10; ++i) budget.deposit();
  clock.advance(24h);
  CHECK(budget.snapshot().tokens == 3);
  for (int i = 0; i < 10'000; ++i) budget.deposit();
  CHECK(budget.snapshot().tokens > 1'900);
}
