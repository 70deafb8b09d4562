// SPDX-License-Identifier: BSL-1.0
//
// Bulkhead, rate limiters and sliding window under many threads, against oracles that know nothing of how
// they work: 10^8 operations, or as many as the argument says. Exit status 1 if one admitted too much.
#include "on_threads.hpp"

#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/keyed.hpp"
#include "brownout/guard/rate_limiter.hpp"
#include "brownout/guard/sliding_window.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using brownout::time_point;

using stress::on_threads;
using stress::stay_inside;
using stress::threads;

stress::expectations all;

void expect(bool holds, const char* what) {
  all.expect(holds, what);
}

/// Each call that holds a place counts itself. The limit changes meanwhile, up to 3: one less than threads.
void stress_bulkhead(std::uint64_t operations) {
  brownout::bulkhead places{{.limit = 3}};
  brownout::bulkhead steady{{.limit = 3}};
  std::atomic<std::int64_t> inside{0};
  std::atomic<std::int64_t> inside_steady{0};
  std::atomic<bool> is_exceeded{false};
  std::atomic<std::uint64_t> admitted{0};
  on_threads([&](std::uint64_t thread) {
    std::uint64_t mine = 0;
    for (std::uint64_t i = 0; i < operations / threads; ++i) {
      if (thread == 0 && i % 1024 == 0)
        places.reconfigure({.limit = static_cast<std::uint32_t>(i / 1024 % 4)});
      if (const auto place = places.try_acquire()) {
        ++mine;
        if (inside.fetch_add(1, std::memory_order_relaxed) >= 3) is_exceeded = true;
        stay_inside(i);
        inside.fetch_sub(1, std::memory_order_relaxed);
      }
      if (const auto place = steady.try_acquire()) {
        if (inside_steady.fetch_add(1, std::memory_order_relaxed) >= 3) is_exceeded = true;
        stay_inside(i);
        inside_steady.fetch_sub(1, std::memory_order_relaxed);
      }
    }
    admitted += mine;
  });
  expect(!is_exceeded, "bulkhead: never more calls in flight than the limit");
  expect(places.snapshot().admitted == admitted, "bulkhead: every admission is counted once");
  expect(places.snapshot().admitted + places.snapshot().refused == operations / threads * threads,
         "bulkhead: every call is admitted or refused");
  expect(places.snapshot().in_flight == 0, "bulkhead: every place came back");
  expect(steady.snapshot().refused > 0, "bulkhead: there were too many calls");
}

/// The times of admitted calls, sorted; `most_beyond` is by how many they exceed burst + rate * w.
double most_beyond(std::vector<std::vector<time_point>>& by_thread, double rate, double burst) {
  std::vector<time_point> calls;
  for (auto& one : by_thread) calls.insert(calls.end(), one.begin(), one.end());
  std::sort(calls.begin(), calls.end());
  double taken = 0;
  double least_before = 0;
  double worst = 0;
  for (const auto& at : calls) {
    const auto given = std::chrono::duration<double>{at - calls.front()}.count() * rate;
    least_before = std::min(least_before, taken - given);
    taken += 1;
    worst = std::max(worst, taken - given - least_before);
  }
  std::printf("  %zu calls were admitted\n", calls.size());
  return worst - burst - 1e-3;
}

/// The time by which the call of this thread was judged.
thread_local time_point last_read{};

/// Notes what it reads.
struct noting_clock {
  [[nodiscard]] time_point now() const noexcept { return last_read = brownout::monotonic_clock{}.now(); }
};

template <class Limiter>
std::vector<std::vector<time_point>> admitted_by(Limiter& limiter, std::uint64_t operations) {
  std::vector<std::vector<time_point>> by_thread(threads);
  on_threads([&](std::uint64_t thread) {
    auto& mine = by_thread[thread];
    for (std::uint64_t i = 0; i < operations / threads; ++i) {
      if (limiter.try_acquire()) mine.push_back(last_read);
    }
  });
  return by_thread;
}

void stress_rate_limiter(std::uint64_t operations) {
  constexpr double rate = 2e6;
  constexpr std::uint32_t burst = 50;
  brownout::rate_limiter limiter{{.rate = brownout::per_second(rate), .burst = burst}, noting_clock{}};
  auto calls = admitted_by(limiter, operations);
  expect(most_beyond(calls, rate, burst) <= 0, "rate limiter: at most burst + rate * w in any time w");
  expect(limiter.snapshot().refused > 0, "rate limiter: there were too many calls");
}

/// Sixteen keys and few places, so that buckets are evicted and keys find none. The limits change meanwhile,
/// and are never more than the first.
void stress_keyed(std::uint64_t operations) {
  constexpr double rate = 2e5;
  constexpr std::uint32_t burst = 5;
  constexpr std::uint64_t keys = 16;
  const brownout::keyed_rate_limiter_options options{
      .rate = brownout::per_second(rate), .burst = burst, .capacity = 12};
  brownout::keyed<brownout::rate_limiter<noting_clock>> quotas{options};
  std::vector<std::vector<std::vector<time_point>>> by_key(keys,
                                                           std::vector<std::vector<time_point>>(threads));
  std::atomic<std::uint64_t> admitted{0};
  on_threads([&](std::uint64_t thread) {
    auto state = thread;
    for (std::uint64_t i = 0; i < operations / threads; ++i) {
      if (thread == 0 && i % 4096 == 0) {
        auto lower = options;
        lower.rate = brownout::per_second(rate / static_cast<double>(1 + i / 4096 % 4));
        quotas.reconfigure(lower);
      }
      state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
      const auto key = (state >> 33) % keys;
      const char name[] = {'k', static_cast<char>('a' + key)};
      if (!quotas.at({name, 2}).try_acquire()) continue;
      by_key[key][thread].push_back(last_read);
      admitted.fetch_add(1, std::memory_order_relaxed);
    }
  });
  double worst = -1e9;
  for (auto& one : by_key) worst = std::max(worst, most_beyond(one, rate, burst));
  const auto shown = quotas.snapshot();
  expect(worst <= 0, "rate limiters by key: at most burst + rate * w of a key in any time w");
  expect(admitted + shown.refused == operations / threads * threads,
         "rate limiters by key: every call is admitted or refused");
  expect(shown.evicted > 0 && shown.bucketless > 0, "rate limiters by key: there was too little room");
}

void stress_sliding_window(std::uint64_t operations) {
  constexpr std::uint32_t limit = 100'000;
  brownout::sliding_window window{{.rate = {limit, 100ms}}, noting_clock{}};
  const auto origin = last_read;
  auto calls = admitted_by(window, operations);
  std::map<std::int64_t, std::uint32_t> in_period;
  for (const auto& one : calls) {
    for (const auto at : one) ++in_period[(at - origin) / 100ms];
  }
  expect(std::all_of(in_period.begin(), in_period.end(), [](const auto& one) { return one.second <= limit; }),
         "sliding window: at most the limit in each period");
  expect(most_beyond(calls, limit * 10.0, limit) <= 0,
         "sliding window: at most limit + limit * w / period in any time w");
  expect(window.snapshot().refused > 0, "sliding window: there were too many calls");
}

}  // namespace

int main(int count, char** arguments) {
  const auto operations = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 100'000'000;
  stress_bulkhead(operations);
  stress_rate_limiter(operations);
  stress_keyed(operations);
  stress_sliding_window(operations);
  return all.failed() ? 1 : 0;
}
