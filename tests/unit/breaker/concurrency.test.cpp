// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

// Bounded numbers of operations on real threads, with invariants checked beside them; built for the race
// detector too.

using namespace breaker_test;

namespace {

constexpr int thread_count = 4;

/// Runs `work(number)` on several threads at once.
template <class Work>
void on_threads(Work work) {
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < thread_count; ++number) {
    threads.emplace_back([&, number] {
      ready.fetch_add(1);
      while (ready.load() < thread_count) std::this_thread::yield();  // start together
      work(number);
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("of many callers at the deadline exactly as many as there are probes get one",
          "[breaker][B3][B3d][B4]") {
  for (int round = 0; round < 40; ++round) {
    const auto probes = static_cast<std::uint32_t>(1 + round % 3);
    bench bench{{.open_for = 5s, .probes = probes}};
    bench.trip();
    bench.clock.advance(5s);
    std::atomic<std::uint32_t> admitted_count{0};
    std::vector<tested_breaker::permit> held[thread_count];
    on_threads([&](int number) {
      auto admitted = bench.circuit.try_acquire();
      if (!admitted) return;
      admitted_count.fetch_add(1);
      held[number].push_back(*std::move(admitted));
    });
    REQUIRE(admitted_count.load() == probes);
    REQUIRE(bench.circuit.snapshot().probes_in_flight == probes);
    REQUIRE(bench.epoch() == 2);
  }
}

TEST_CASE("failures counted by many threads open the circuit at the threshold, once", "[breaker][B2]") {
  for (int round = 0; round < 25; ++round) {
    bench bench{bench::defaults(), 37};
    std::atomic<std::uint32_t> counted{0};
    on_threads([&](int) {
      for (int i = 0; i < 20; ++i) {
        auto admitted = bench.circuit.try_acquire();
        if (!admitted) return;
        if (admitted->complete(outcome::failure) == disposition::counted) counted.fetch_add(1);
      }
    });
    REQUIRE(bench.state() == circuit_state::open);
    REQUIRE(counted.load() == 37);
    REQUIRE(bench.epoch() == 1);
  }
}

TEST_CASE("under any mix of threads no half-open epoch has more probes in flight than it may",
          "[breaker][B4]") {
  constexpr std::uint32_t probes = 2;
  constexpr int operations = 3000;
  bench bench{{.open_for = 1ms, .probes = probes, .lease = 1ms}, 2};

  // Places taken by epoch, as the holders of permits see it: counted after the admission, and taken off
  // before a place is given back, so never more than there really are.
  constexpr std::size_t epochs = 1 << 16;
  const auto taken = std::make_unique<std::atomic<std::uint32_t>[]>(epochs);
  std::atomic<std::uint32_t> most{0};
  std::atomic<std::uint32_t> impossible{0};  // snapshots
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> late{0};

  on_threads([&](int number) {
    std::mt19937 random{static_cast<unsigned>(number)};
    const auto below = [&](std::uint32_t limit) {
      return std::uniform_int_distribution<std::uint32_t>{0, limit - 1}(random);
    };
    std::uint64_t last_epoch = 0;
    for (int i = 0; i < operations; ++i) {
      const auto before = bench.circuit.snapshot();
      if (before.epoch < last_epoch) impossible.fetch_add(1);
      if (before.probes_in_flight > probes || before.probes_succeeded >= probes) impossible.fetch_add(1);
      last_epoch = before.epoch;
      if (below(8) == 0) bench.clock.advance(100us);
      if (below(400) == 0) bench.circuit.force_open();
      if (below(400) == 0) bench.circuit.disable();
      if (below(400) == 0) bench.circuit.measure_only();
      if (below(50) == 0) bench.circuit.reset();

      auto admitted = bench.circuit.try_acquire();
      if (!admitted) {
        refused.fetch_add(1);
        continue;
      }
      // The permit's epoch lies between these two looks; when they agree, it is known.
      const auto after = bench.circuit.snapshot();
      const bool known = after.state == circuit_state::half_open && after.epoch == before.epoch;
      auto& here = taken[before.epoch % epochs];
      if (known) {
        const auto now = here.fetch_add(1) + 1;
        std::uint32_t seen = most.load();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
      }
      if (below(3) == 0) std::this_thread::yield();
      const auto choice = below(10);
      if (choice == 9) {
        if (known) here.fetch_sub(1);
      } else {  // a reported probe keeps its place for the rest of the epoch
        const auto became = admitted->complete(choice < 5 ? outcome::success : outcome::failure);
        if (became == disposition::late) late.fetch_add(1);
      }
    }
  });

  CHECK(most.load() <= probes);
  CHECK(impossible.load() == 0);
  CHECK(bench.circuit.snapshot().rejections == refused.load());
  CHECK(bench.circuit.snapshot().late_results == late.load());
  CHECK(bench.epoch() > 50);
  CHECK(bench.epoch() < epochs);
  CHECK(refused.load() > 0);

  // And it is still a circuit breaker.
  bench.circuit.reset();
  bench.trip();
  bench.clock.advance(1ms);
  bench.succeed(probes);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("who is admitted after a recovery sees what the probe wrote before it reported success",
          "[breaker][B8]") {
  for (int round = 0; round < 25; ++round) {
    bench bench{{.open_for = 5s, .probes = 1}};
    auto probe = bench.first_probe();
    int payload = 0;  // not atomic: the race detector sees whether the breaker orders it
    std::atomic<int> wrong{0};
    on_threads([&](int number) {
      if (number == 0) {
        payload = 42;
        static_cast<void>(probe.complete(outcome::success));
        return;
      }
      for (;;) {  // the probe reports, so this ends
        auto admitted = bench.circuit.try_acquire();
        if (!admitted) {
          std::this_thread::yield();
          continue;
        }
        if (payload != 42) wrong.fetch_add(1);
        return;
      }
    });
    REQUIRE(wrong.load() == 0);
  }
}

TEST_CASE("who is refused sees what the call wrote before the failure that opened the circuit",
          "[breaker][B8]") {
  for (int round = 0; round < 25; ++round) {
    bench bench{bench::defaults(), 1};
    auto call = bench.acquire();
    int payload = 0;
    std::atomic<int> wrong{0};
    on_threads([&](int number) {
      if (number == 0) {
        payload = 42;
        static_cast<void>(call.complete(outcome::failure));
        return;
      }
      while (bench.circuit.try_acquire()) std::this_thread::yield();  // the call fails, so this ends
      if (payload != 42) wrong.fetch_add(1);
    });
    REQUIRE(wrong.load() == 0);
  }
}
