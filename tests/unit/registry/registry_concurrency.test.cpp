// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

// Bounded numbers of operations on real threads, with invariants checked beside them; built for the race
// detector too. Checks are made after the threads, since Catch2's are not thread-safe.

using namespace registry_test;

TEST_CASE("threads that ask for a new key at once get one breaker", "[registry][S3][S3a]") {
  const auto capacity = GENERATE(std::size_t{1}, std::size_t{1000});
  bench bench{capacity};
  for (int round = 0; round < 300; ++round) {
    const auto key = "key-" + std::to_string(round);
    std::vector<handle> got(thread_count);
    on_threads([&](int number) { got[static_cast<std::size_t>(number)] = bench.breakers.at(key); });
    for (const auto& one : got) {
      REQUIRE(one.was_registered());
      REQUIRE(one == got.front());
    }
  }
  CHECK(bench.breakers.snapshot().size == std::min<std::size_t>(capacity, 300));
}

TEST_CASE("handles stay whole while others add, evict, erase and visit", "[registry][S3]") {
  constexpr std::size_t capacity = 24;
  bench bench{capacity, 1ms};
  std::atomic<int> wrong{0};
  std::atomic<std::size_t> largest{0};
  on_threads([&](int number) {
    std::vector<handle> held(4);
    std::optional<handle::permit> permit;
    for (int i = 0; i < 3000; ++i) {
      const auto step = i * thread_count + number;
      const auto key = "key-" + std::to_string(step * 7919 % 61);
      auto one = bench.breakers.at(key);
      if (one.name() != key) wrong.fetch_add(1);
      if (auto admitted = one.try_acquire()) {
        if (step % 3 == 0) {
          static_cast<void>(admitted->complete(step % 2 == 0 ? outcome::success : outcome::failure));
        } else if (step % 3 == 1) {
          permit.emplace(*std::move(admitted));
        }
      }
      if (const auto found = bench.breakers.find(key); found && found.name() != key) wrong.fetch_add(1);
      held[static_cast<std::size_t>(i % 4)] = std::move(one);
      if (held[0] && held[0].name().substr(0, 4) != "key-") wrong.fetch_add(1);
      if (step % 50 == 0) bench.breakers.erase(key);
      if (step % 101 == 0) bench.clock.advance(1ms);
      if (step % 211 == 0) bench.breakers.remove_expired();
      if (step % 307 == 0) {
        bench.breakers.visit([&](const handle& shown) {
          if (shown.name().substr(0, 4) != "key-") wrong.fetch_add(1);
        });
      }
      const auto size = bench.breakers.snapshot().size;
      for (auto seen = largest.load(); seen < size && !largest.compare_exchange_weak(seen, size);) {
      }
    }
  });
  CHECK(wrong.load() == 0);
  CHECK(largest.load() <= capacity);
  std::size_t shown = 0;
  bench.breakers.visit([&](const handle&) { ++shown; });
  CHECK(shown == bench.breakers.snapshot().size);
}

TEST_CASE("a key that is there is found while its neighbours come and go", "[registry][S3]") {
  bench bench{12};
  std::vector<handle> steady;
  for (int i = 0; i < 6; ++i) steady.push_back(bench.breakers.at("steady-" + std::to_string(i)));
  std::atomic<int> missed{0};
  on_threads([&](int number) {
    for (int i = 0; i < 20'000; ++i) {
      if (number % 2 == 0) {
        const auto& sought = steady[static_cast<std::size_t>(i) % steady.size()];
        if (!(bench.breakers.find(sought.name()) == sought)) missed.fetch_add(1);
      } else {
        const auto key = std::to_string(number + i % 8);
        bench.use(key);
        bench.breakers.erase(key);
      }
    }
  });
  CHECK(missed.load() == 0);
}

TEST_CASE("no open circuit is evicted while threads flood the registry with keys", "[registry][S3]") {
  bench bench{64};
  std::atomic<int> missing{0};
  std::atomic<int> opened{0};
  on_threads([&](int number) {
    if (number == 0) {
      // Opens circuits between evictions, and looks whether they are registered.
      for (int i = 0; i < 32; ++i) {
        const auto key = "down-" + std::to_string(i);
        if (const auto one = bench.breakers.at(key); one.was_registered()) {
          trip(one);
          opened.fetch_add(1);
        } else {
          continue;
        }
        for (int j = 0; j < 50; ++j) {
          const auto again = bench.breakers.find(key);
          if (!again || again.observed_state() != circuit_state::open) missing.fetch_add(1);
        }
      }
    } else {
      for (int i = 0; i < 5000; ++i) {
        bench.use("flood-" + std::to_string(number) + "-" + std::to_string(i));
      }
    }
  });
  CHECK(opened.load() > 0);
  CHECK(missing.load() == 0);
  int open = 0;
  bench.breakers.visit([&](const handle& one) { open += one.observed_state() == circuit_state::open; });
  CHECK(open == opened.load());
}

TEST_CASE("a breaker that is opened the moment it is chosen to go stays", "[registry][S3]") {
  bench bench{2};
  std::atomic<int> lost{0};
  for (int round = 0; round < 200; ++round) {
    const auto key = "key-" + std::to_string(round);
    std::atomic<bool> tripped{false};
    on_threads([&](int number) {
      if (number == 0) {
        // No handle between the failures: only the state keeps it.
        fail(bench.breakers.at(key));
        fail(bench.breakers.at(key));
        const auto seen = bench.breakers.find(key);
        tripped.store(seen && seen.observed_state() == circuit_state::open);
      } else {
        bench.use("other-" + std::to_string(number) + "-" + std::to_string(round));
      }
    });
    if (tripped.load()) {
      bench.use("x");
      bench.use("y");
      const auto seen = bench.breakers.find(key);
      if (!seen || seen.observed_state() != circuit_state::open) lost.fetch_add(1);
    }
    bench.clock.advance(10s);
  }
  CHECK(lost.load() == 0);
}

TEST_CASE("handles may go on after the registry has gone, on any thread", "[registry][S3]") {
  for (int round = 0; round < 50; ++round) {
    std::optional<bench> bench{std::in_place, std::size_t{200}};
    std::vector<std::vector<handle>> held(thread_count);
    for (int i = 0; i < 200; ++i) {
      held[static_cast<std::size_t>(i % thread_count)].push_back(bench->breakers.at(std::to_string(i)));
    }
    on_threads([&](int number) {
      if (number == 0) bench.reset();
      auto& mine = held[static_cast<std::size_t>(number)];
      while (!mine.empty()) {
        fail(mine.back());
        mine.pop_back();
      }
    });
  }
}
