// SPDX-License-Identifier: BSL-1.0
#include "brownout/core/clock.hpp"
#include "catch2.hpp"
#include "unit/guard/keyed_bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace guard_test;
using breaker_test::interrupted_atomics;
using breaker_test::interruption;

namespace {

/// As `interrupted_atomics`, until a place begins to change hands. From then on a call of its key would wait.
struct atomics_until_change {
  template <class T>
  class atomic : public interrupted_atomics::atomic<T> {
   public:
    using interrupted_atomics::atomic<T>::atomic;
    void store(T value, std::memory_order order) {
      interrupted_atomics::atomic<T>::store(value, order);
      if constexpr (std::same_as<T, std::uint64_t>) {
        if (value == 2) interruption::accesses_left = -1;
      }
    }
  };
};

/// The time by which the latest call of this thread was judged.
thread_local time_point last_read{};

struct noting_clock {
  [[nodiscard]] time_point now() const noexcept { return last_read = brownout::monotonic_clock{}.now(); }
};

/// Calls of many threads for six keys. Returns by how much the worst key exceeds its limits.
template <class Limiter>
double worst_of_threads(Limiter& quotas, const keyed_rate_limiter_options& options, int calls_of_thread) {
  constexpr std::size_t keys = 6;
  using of_keys = std::array<std::vector<admitted_call>, keys>;
  std::vector<of_keys> by_thread(4);
  std::vector<std::thread> running;
  for (auto& mine : by_thread) {
    running.emplace_back([&mine, &quotas, calls_of_thread] {
      random_numbers random{7};
      for (int i = 0; i < calls_of_thread; ++i) {
        const auto key = random.below(keys);
        if (quotas.at(std::to_string(key)).try_acquire()) mine[key].push_back({last_read, 1});
      }
    });
  }
  for (auto& one : running) one.join();
  double worst = -1e9;
  for (std::size_t key = 0; key < keys; ++key) {
    std::vector<admitted_call> calls;
    for (const auto& one : by_thread) calls.insert(calls.end(), one[key].begin(), one[key].end());
    if (calls.empty()) continue;
    worst = std::max(worst, most_beyond(calls, {.rate = options.rate, .burst = options.burst}));
  }
  return worst;
}

}  // namespace

TEST_CASE("threads get no more calls of a key than burst and rate allow",
          "[guard][rate-limiter][L10a][L10b][L10c]") {
  // Few places: nearly every call evicts a bucket or finds none that is full.
  const auto capacity = GENERATE(std::size_t{1}, std::size_t{4}, std::size_t{1000});
  CAPTURE(capacity);
  const keyed_rate_limiter_options options{.rate = per_second(100'000), .burst = 3, .capacity = capacity};
  keyed<rate_limiter<noting_clock>> quotas{options};
  CHECK(worst_of_threads(quotas, options, 20'000) <= 0);
}

TEST_CASE("threads get no more calls of a key while its limits are replaced", "[guard][rate-limiter][L10e]") {
  const keyed_rate_limiter_options options{.rate = per_second(100'000), .burst = 3, .capacity = 4};
  keyed<rate_limiter<noting_clock>> quotas{options};
  std::atomic<bool> is_over{false};
  std::thread changing{[&] {
    for (int i = 0; !is_over.load(std::memory_order_relaxed); ++i) {
      const auto lower = static_cast<double>(i % 3) * 1e4;  // also 0
      quotas.reconfigure(
          {.rate = per_second(lower), .burst = 1U + static_cast<std::uint32_t>(i % 2), .capacity = 4});
      quotas.reconfigure(options);
    }
  }};
  const auto worst = worst_of_threads(quotas, options, 20'000);
  is_over.store(true, std::memory_order_relaxed);
  changing.join();
  CHECK(worst <= 0);
}

TEST_CASE("no interleaving of a call and the eviction of its bucket gives its key a token twice",
          "[guard][rate-limiter][L10b]") {
  int interrupted = 0;
  for (int n = 0; n < 40; ++n) {
    for (const bool evicts_within_call : {true, false}) {
      INFO("before access " << n << (evicts_within_call ? ": the eviction" : ": the call"));
      keyed_bench<atomics_until_change> bench{{.rate = per_second(1), .burst = 1, .capacity = 1}};
      CHECK(bench.try_acquire("old"));
      bench.clock.advance(1s);
      bool old = false;
      bool other = false;
      const auto call = [&] { old = bench.try_acquire("old"); };
      const auto evict = [&] { other = bench.try_acquire("new"); };
      if (evicts_within_call) {
        interruption::action = evict;
      } else {
        interruption::action = call;
      }
      interruption::accesses_left = n;
      evicts_within_call ? call() : evict();
      interruption::accesses_left = -1;
      if (interruption::action == nullptr) {
        ++interrupted;
      } else {
        std::exchange(interruption::action, nullptr)();
      }
      CHECK(old);
      CHECK(other);
      CHECK_FALSE(bench.try_acquire("old"));
      CHECK_FALSE(bench.try_acquire("new"));
      bench.clock.advance(1s);
      CHECK((bench.admitted_now("old") == 1 && bench.admitted_now("new") == 1));
    }
  }
  CHECK(interrupted > 10);
}

TEST_CASE("a call of a new key counts as of the latest reading of the clock", "[guard][rate-limiter][L10b]") {
  // A call of another key that comes between makes the new key's call read the clock again.
  struct noting_manual_clock {
    const manual_clock* clock;
    time_point* latest;
    time_point now() const noexcept { return *latest = clock->now(); }
  };
  int interrupted = 0;
  int read_again = 0;
  for (int n = 0; n < 40; ++n) {
    INFO("before access " << n);
    manual_clock clock;
    time_point latest;
    keyed<rate_limiter<noting_manual_clock, atomics_until_change>> quotas{
        {.rate = per_second(1), .burst = 1, .capacity = 2}, noting_manual_clock{&clock, &latest}};
    CHECK((quotas.at("steady").try_acquire() && quotas.at("full").try_acquire()));
    clock.advance(1s);
    const auto before = clock.now();
    interruption::action = [&] {
      clock.advance(5s);
      const auto own = std::exchange(latest, time_point{});
      CHECK(quotas.at("steady").try_acquire());
      latest = own;
    };
    interruption::accesses_left = n;
    CHECK(quotas.at("new").try_acquire());
    interruption::accesses_left = -1;
    interrupted += interruption::action == nullptr ? 1 : 0;
    interruption::action = nullptr;
    read_again += latest > before ? 1 : 0;
    const auto judged = std::exchange(latest, time_point{});
    CHECK(quotas.at("new").try_acquire().has_value() == (clock.now() - judged >= 1s));
  }
  CHECK(interrupted > 10);
  CHECK(read_again > 3);
}

TEST_CASE("a call of a key that has a bucket waits for no eviction", "[guard][rate-limiter][L10d]") {
  // If the call took the lock of its section, it would wait for the thread that runs it.
  int interrupted = 0;
  for (int n = 0; n < 60; ++n) {
    keyed_bench<interrupted_atomics> bench{{.rate = per_second(1), .burst = 5, .capacity = 2}};
    CHECK(bench.try_acquire("old"));
    bench.clock.advance(1s);
    CHECK(bench.try_acquire("steady"));
    interruption::action = [&] { CHECK(bench.try_acquire("steady")); };
    interruption::accesses_left = n;
    CHECK(bench.try_acquire("new"));
    interrupted += interruption::accesses_left < 0 ? 1 : 0;
    interruption::accesses_left = -1;
    CHECK(bench.quotas.snapshot().evicted == 1);
  }
  CHECK(interrupted > 20);
}

TEST_CASE("threads that look up a new key at the same time share its one bucket",
          "[guard][rate-limiter][L10a]") {
  keyed_bench bench{{.rate = per_hour(1), .burst = 1}};
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> ready{0};
    std::atomic<int> admitted{0};
    std::vector<std::thread> running;
    for (int t = 0; t < 4; ++t) {
      running.emplace_back([&] {
        ready.fetch_add(1);
        while (ready.load() < 4) std::this_thread::yield();
        if (bench.try_acquire("key-" + std::to_string(round))) admitted.fetch_add(1);
      });
    }
    for (auto& one : running) one.join();
    CHECK(admitted.load() == 1);
  }
}

TEST_CASE("other limits of all keys begin with the tokens that are there", "[guard][rate-limiter][L10e]") {
  keyed_bench bench{{.name = "quotas", .rate = per_second(10), .burst = 5}};
  CHECK(bench.admitted_now("empty") == 5);
  CHECK(bench.try_acquire("used"));
  CHECK(bench.try_acquire("full"));
  bench.clock.advance(100ms);  // `full` is full again, `used` too
  CHECK(bench.try_acquire("used"));
  SECTION("lower rate") {
    bench.quotas.reconfigure({.rate = per_second(1), .burst = 5});
    CHECK(bench.admitted_now("empty") == 1);
    CHECK(bench.quotas.at("empty").snapshot().retry_after == 1s);
    CHECK(bench.admitted_now("used") == 4);
    CHECK(bench.admitted_now("full") == 5);
    CHECK(bench.admitted_now("new") == 5);
  }
  SECTION("greater burst: fills at the rate, whether or not a key has a bucket") {
    bench.quotas.reconfigure({.rate = per_second(10), .burst = 20});
    CHECK(bench.admitted_now("empty") == 1);
    CHECK(bench.admitted_now("used") == 4);
    CHECK(bench.admitted_now("full") == 5);
    CHECK(bench.admitted_now("new") == 5);
    bench.clock.advance(1500ms);
    CHECK(bench.admitted_now("full") == 15);
    CHECK(bench.admitted_now("late") == 20);
  }
  SECTION("smaller burst") {
    bench.quotas.reconfigure({.rate = per_second(10), .burst = 2});
    CHECK(bench.admitted_now("empty") == 1);
    CHECK(bench.admitted_now("used") == 2);
    CHECK(bench.admitted_now("full") == 2);
    CHECK(bench.quotas.at("full").try_acquire(5).rejection().retry_after == brownout::rejection::unknown);
  }
  SECTION("rate 0, for a while") {
    bench.quotas.reconfigure({.rate = per_second(0), .burst = 5});
    for (const auto* const key : {"empty", "used", "full", "new"}) {
      CHECK(bench.admitted_now(key) == 0);
      CHECK(bench.quotas.at(key).try_acquire().rejection().retry_after == brownout::rejection::unknown);
      CHECK(bench.quotas.at(key).snapshot().tokens == 0);
    }
    bench.clock.advance(1h);
    CHECK(bench.quotas.snapshot().keys == 2);  // `empty` and `used`
    bench.quotas.reconfigure({.rate = per_second(0), .burst = 50});
    bench.quotas.reconfigure({.rate = per_second(10), .burst = 50});
    CHECK(bench.admitted_now("empty") == 1);
    CHECK(bench.admitted_now("used") == 4);
    CHECK(bench.admitted_now("full") == 5);
    CHECK(bench.admitted_now("new") == 5);
  }
  CHECK(bench.quotas.options().name == "quotas");
}

TEST_CASE("a burst that is lowered and raised again gives no key a token", "[guard][rate-limiter][L10e]") {
  keyed_bench bench{{.rate = per_second(10), .burst = 3, .capacity = 2}};
  for (const auto* const key : {"used", "full"}) CHECK(bench.try_acquire(key));
  bench.clock.advance(1s);
  CHECK(bench.quotas.at("used").try_acquire(2));
  bench.quotas.reconfigure({.rate = per_second(10), .burst = 1, .capacity = 2});
  bench.quotas.reconfigure({.rate = per_second(10), .burst = 3, .capacity = 2});
  for (const auto* const key : {"used", "new"}) CHECK(bench.admitted_now(key) == 1);
  CHECK(bench.quotas.snapshot().bucketless == 0);  // the places of full buckets are free
  CHECK(bench.admitted_now("full") == 1);
}

TEST_CASE("other limits hold for the keys without a bucket, too", "[guard][rate-limiter][L10c][L10e]") {
  keyed_bench bench{{.rate = per_second(10), .burst = 5, .capacity = 1}};
  CHECK(bench.try_acquire("first"));
  CHECK(bench.admitted_now("second") == 5);
  bench.quotas.reconfigure({.rate = per_second(1), .burst = 5, .capacity = 1});
  CHECK(bench.quotas.at("second").try_acquire().rejection().retry_after == 1s);
  CHECK(bench.quotas.at("third").try_acquire().rejection().retry_after == 1s);
}

TEST_CASE("rate limiters by key that begin with a rate of 0 are full once there is a rate",
          "[guard][rate-limiter][L10e]") {
  keyed_bench bench{{.rate = per_second(0), .burst = 5, .capacity = 1}};
  CHECK(bench.admitted_now("first") == 0);
  CHECK(bench.quotas.snapshot().keys == 0);
  bench.quotas.reconfigure({.rate = per_second(10), .burst = 5, .capacity = 1});
  CHECK(bench.admitted_now("first") == 5);
  CHECK(bench.admitted_now("second") == 5);
  CHECK(bench.quotas.snapshot().bucketless == 5);
}

TEST_CASE("options of all keys that do not fit are refused and change nothing",
          "[guard][rate-limiter][L10e]") {
  keyed_bench bench{{.name = "quotas", .rate = per_second(10), .burst = 5}};
  CHECK(bench.admitted_now("tenant") == 5);
  const auto refused = [&](const keyed_rate_limiter_options& options, const std::string& text) {
    CHECK_THROWS_WITH(bench.quotas.reconfigure(options), text);
  };
  refused({.name = "others", .rate = per_second(1)},
          "keyed_rate_limiter_options.name = 'others': allowed is 'quotas'");
  refused({.rate = per_second(1), .capacity = 10},
          "keyed_rate_limiter_options.capacity = 10: allowed is 65536");
  refused(
      {.rate = per_second(-1)},
      "keyed<rate_limiter> 'quotas': keyed_rate_limiter_options.rate = -1/s: allowed is 0, or 1 a year to "
      "1000000000/s");
  CHECK(bench.quotas.at("tenant").try_acquire().rejection().retry_after == 100ms);
  CHECK(bench.quotas.snapshot().rate_per_second == 10);
  CHECK(bench.quotas.options().burst == 5);
}
