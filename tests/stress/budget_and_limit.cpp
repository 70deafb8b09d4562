// SPDX-License-Identifier: BSL-1.0
//
// Uses a retry budget and an adaptive limit from many threads, and compares with what one thread would count:
//
//     cmake --build build/release --target brownout_stress_budget_and_limit
//     build/release/tests/stress/brownout_stress_budget_and_limit [OPERATIONS]
//
// OPERATIONS: how many in all; 100,000,000 by default. Exit status 1 if one retry or call too many was
// admitted, or if a token or a place was lost.
#include "on_threads.hpp"

#include "brownout/core/detail/chance.hpp"
#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <thread>

namespace {

using namespace std::chrono_literals;

using stress::on_threads;
using stress::stay_inside;
using stress::threads;

stress::expectations all;

void expect(bool holds, const char* what) {
  all.expect(holds, what);
}

/// The clock stands still, so that nothing is forgotten and every token can be found again.
void stress_budget(std::uint64_t operations) {
  constexpr double ratio = 0.25;
  constexpr std::uint32_t least = 10;
  brownout::retry_budget budget{{.ratio = ratio, .least = least}, brownout::manual_clock{}};
  std::atomic<std::uint64_t> successes{0};
  std::atomic<std::uint64_t> retries{0};
  on_threads([&](std::uint64_t thread) {
    std::uint64_t deposited = 0;
    std::uint64_t taken = 0;
    for (std::uint64_t i = 0; i < operations / threads; ++i) {
      const auto drawn = brownout::detail::chance_of(thread, i);
      if (drawn < 0.7) {
        budget.deposit();
        ++deposited;
      } else if (budget.try_withdraw()) {
        if (drawn < 0.72) {
          budget.give_back();
        } else {
          ++taken;
        }
      }
    }
    successes += deposited;
    retries += taken;
  });
  std::uint64_t left = 0;
  while (budget.try_withdraw()) ++left;
  const double used = static_cast<double>(retries + left);
  const double paid = least + ratio * static_cast<double>(successes);
  fmt::print("budget: {} successes, {} retries, {} tokens left\n", successes.load(), retries.load(), left);
  expect(used <= paid, "budget: retries and tokens left <= least + ratio x successes");
  expect(used > paid - ratio * 63 * 8 - 1, "budget: only successes that are not sampled yet are missing");
  expect(budget.snapshot().deposited == successes, "budget: every success is counted");
}

void stress_limit(std::uint64_t operations) {
  constexpr std::uint32_t most = 3;
  brownout::adaptive_limit limit{{.target_delay = 5ms, .first = most, .most = most}};
  std::atomic<std::uint32_t> in_flight{0};
  std::atomic<std::uint64_t> too_many{0};
  std::atomic<std::uint64_t> admitted{0};
  on_threads([&](std::uint64_t thread) {
    std::uint64_t mine = 0;
    for (std::uint64_t i = 0; i < operations / threads; ++i) {
      const auto priority = static_cast<brownout::call_priority>(i % 4);
      auto place = limit.try_acquire(priority, thread);
      if (!place) continue;
      ++mine;
      if (in_flight.fetch_add(1, std::memory_order_relaxed) >= most) ++too_many;
      stay_inside(i);
      place->started();
      in_flight.fetch_sub(1, std::memory_order_relaxed);
    }
    admitted += mine;
  });
  const auto shown = limit.snapshot();
  std::uint64_t refused = shown.limit_reached;
  for (const auto one : shown.shed) refused += one;
  fmt::print("limit: {} admitted, {} refused\n", admitted.load(), refused);
  expect(too_many == 0, "limit: never more calls in flight than the limit");
  expect(shown.in_flight == 0, "limit: every place came back");
  expect(shown.admitted == admitted && admitted + refused == operations / threads * threads,
         "limit: every call was admitted or refused, and counted");
}

/// Options change all the time meanwhile, so the limit moves between 1 and 3: one less than threads.
void stress_moving_limit(std::uint64_t operations) {
  constexpr std::uint32_t most = 3;
  brownout::adaptive_limit limit{{.target_delay = 100us, .first = most, .most = most}};
  std::atomic<std::uint32_t> in_flight{0};
  std::atomic<std::uint64_t> too_many{0};
  std::atomic<bool> is_over{false};
  std::thread operator_{[&] {
    for (std::uint32_t i = 0; !is_over; ++i) {
      const auto limited_to = 1 + i % most;
      limit.reconfigure({.target_delay = 100us, .least = limited_to, .most = limited_to});
    }
  }};
  on_threads([&](std::uint64_t) {
    for (std::uint64_t i = 0; i < operations / threads; ++i) {
      auto place = limit.try_acquire(brownout::call_priority::critical_plus);
      if (!place) continue;
      if (in_flight.fetch_add(1, std::memory_order_relaxed) >= most) ++too_many;
      stay_inside(i);
      place->started();
      in_flight.fetch_sub(1, std::memory_order_relaxed);
    }
  });
  is_over = true;
  operator_.join();
  fmt::print("moving limit: {} changes\n", limit.snapshot().last_change.number);
  expect(too_many == 0, "moving limit: never more calls in flight than the highest limit");
  expect(limit.snapshot().in_flight == 0, "moving limit: every place came back");
}

}  // namespace

int main(int count, char** words) {
  const auto operations = count > 1 ? std::strtoull(words[1], nullptr, 10) : std::uint64_t{100'000'000};
  stress_budget(operations / 2);
  stress_limit(operations / 4);
  stress_moving_limit(operations / 4);
  return all.failed() ? 1 : 0;
}
