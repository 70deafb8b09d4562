// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/core/clock.hpp"
#include "brownout/guard/keyed.hpp"
#include "brownout/guard/rate_limiter.hpp"
#include "brownout/guard/sliding_window.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string>

namespace {

using namespace benchmarks;
using namespace std::chrono_literals;

// No loop takes a thousand million tokens a second.
brownout::rate_limiter ample{{.rate = brownout::per_second(1e9), .burst = 1U << 24}};
brownout::rate_limiter paced{{.rate = brownout::per_second(1e9), .burst = 1U << 24}};
brownout::rate_limiter empty{{.rate = brownout::rate{1, 24h * 365}, .burst = 1}};

brownout::sliding_window counted{{.rate = {1 << 20, 100ms}}};

/// A time that goes on by itself, so that its reading costs nothing. One thread only.
brownout::time_point given = brownout::monotonic_clock{}.now();

/// What a limiter cannot do without: it writes a time.
void write_time(brownout::time_point now) {
  const auto next = static_cast<std::uint64_t>(now.time_since_epoch().count());
  auto seen = floors::written.word.load(std::memory_order_relaxed);
  while (!floors::written.word.compare_exchange_weak(seen, next, std::memory_order_relaxed)) {
  }
}

constexpr auto clock_and_exchange = repeated([] {
  write_time(brownout::monotonic_clock{}.now());
  opaque_call();
});
constexpr auto coarse_clock_and_exchange = repeated([] {
  write_time(brownout::monotonic_clock{}.coarse_now());
  opaque_call();
});

const registered admitted{{.name = "rate limiter: admitted",
                           .run = repeated([] {
                             if (!ample.try_acquire()) [[unlikely]]
                               ++floors::surprises;
                             opaque_call();
                           }),
                           .beside = {"steady_clock and compare-and-swap", clock_and_exchange},
                           .wanted = {.ratio = 1.3, .allocations = 0},
                           .prepare = [] {
                             let_escape(ample);
                             let_escape(paced);
                             let_escape(empty);
                             let_escape(given);
                             let_escape(counted);
                             static_cast<void>(empty.try_acquire());
                           }}};

const registered at_a_time{{.name = "rate limiter: admitted, time given",
                            .run = repeated([] {
                              if (!paced.try_acquire_at(given += 1ns)) [[unlikely]]
                                ++floors::surprises;
                              opaque_call();
                            }),
                            .beside = {"coarse clock and compare-and-swap", coarse_clock_and_exchange},
                            .wanted = {.ratio = 1.2, .instructions = 42, .allocations = 0}}};

const registered refused{{.name = "rate limiter: refused",
                          .run = repeated([] {
                            if (empty.try_acquire()) [[unlikely]]
                              ++floors::surprises;
                            opaque_call();
                          }),
                          .beside = floors::clock_reading,
                          .wanted = {.ratio = 1.4, .growth = 1.15, .allocations = 0}}};

/// Quotas of tenants, by the library and as one would write them without it. Built by the rows that need
/// them: the library hashes by a secret, so that building takes some instructions more or fewer each time.
struct tenants {
  std::array<std::string, 1024> keys;
  brownout::keyed<brownout::rate_limiter<>> quotas{{.rate = brownout::per_second(1e9), .burst = 1U << 24}};
  boost::unordered_flat_map<std::string, floors::shared_word*> map{};
  std::shared_mutex map_mutex{};
  std::size_t at = 0;

  tenants() {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      keys[i] = "tenant-" + std::to_string(1'000'000 + i);
      map.emplace(keys[i], &floors::written);
    }
    hot();
  }

  /// All of them by turns, not in the order in which they came in.
  const std::string& next_key() {
    at = (at + 619) % keys.size();
    return keys[at];
  }
  /// The key that has the first place of its group.
  const std::string& hot() {
    static_cast<void>(quotas.at(keys[0]).try_acquire());
    return keys[0];
  }

  /// The least that one would write: it finds the word of a key, and writes a time.
  void write_time(const std::string& key, brownout::time_point now) {
    const std::shared_lock lock{map_mutex};
    const auto found = map.find(key);
    if (found == map.end()) [[unlikely]] {
      ++floors::surprises;
      return;
    }
    const auto next = static_cast<std::uint64_t>(now.time_since_epoch().count());
    auto seen = found->second->word.load(std::memory_order_relaxed);
    while (!found->second->word.compare_exchange_weak(seen, next, std::memory_order_relaxed)) {
    }
  }
};

tenants& known() {
  static tenants built;
  return built;
}

void keyed_by_turns(std::uint64_t times) {
  auto& here = known();
  for (std::uint64_t i = 0; i < times; ++i) {
    if (!here.quotas.at(here.next_key()).try_acquire()) [[unlikely]]
      ++floors::surprises;
    opaque_call();
  }
}
void map_by_turns(std::uint64_t times) {
  auto& here = known();
  for (std::uint64_t i = 0; i < times; ++i) {
    here.write_time(here.next_key(), brownout::monotonic_clock{}.now());
    opaque_call();
  }
}
void keyed_hot(std::uint64_t times) {
  auto& here = known();
  const auto& key = here.hot();
  auto told = brownout::monotonic_clock{}.now();  // goes on by itself, as `given`
  for (std::uint64_t i = 0; i < times; ++i) {
    if (!here.quotas.at(key).try_acquire_at(told += 1ns)) [[unlikely]]
      ++floors::surprises;
    opaque_call();
  }
}
void map_hot(std::uint64_t times) {
  auto& here = known();
  const auto& key = here.hot();
  auto told = brownout::monotonic_clock{}.now();  // goes on by itself, as `given`
  for (std::uint64_t i = 0; i < times; ++i) {
    here.write_time(key, told += 1ns);
    opaque_call();
  }
}

const registered by_key{{.name = "keyed rate limiter: admitted, 1024 keys",
                         .run = keyed_by_turns,
                         .beside = {"flat map under a shared lock, clock and exchange", map_by_turns},
                         .wanted = {.ratio = 1.3, .allocations = 0}}};

const registered by_hot_key{{.name = "keyed rate limiter: admitted, time given, hot key",
                             .run = keyed_hot,
                             .beside = {"flat map under a shared lock and exchange", map_hot},
                             .wanted = {.ratio = 1.5, .instructions = 190, .allocations = 0}}};

/// At 10 million calls a second, a little below the limit.
const registered window{{.name = "sliding window: admitted, time given",
                         .run = repeated([] {
                           if (!counted.try_acquire_at(given += 100ns)) [[unlikely]]
                             ++floors::surprises;
                           opaque_call();
                         }),
                         .beside = {"coarse clock and compare-and-swap", coarse_clock_and_exchange},
                         .wanted = {.allocations = 0}}};

}  // namespace
