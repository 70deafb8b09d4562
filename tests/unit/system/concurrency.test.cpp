// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include <atomic>
#include <thread>

using namespace system_test;

TEST_CASE("requests read features and make calls while the supervisor steps and an operator intervenes",
          "[system][D3][S2]") {
  constexpr int rounds = 200;  // of each thread; the stepping goes on until the last is done
  staging staging;
  staging.run(1s);
  std::atomic<int> at_work{3};
  std::atomic<int> contradictions{0};
  std::atomic<std::uint64_t> refused{0};

  const auto serve = [&](dependency one) {
    auto& called = staging.watched.described(one);
    for (int i = 0; i < rounds; ++i) {
      const auto features = staging.watched.features();
      for (const auto asked : {feature::read_only_access, feature::inventory_management, feature::redis_cache,
                               feature::full_ai_pipeline}) {
        const auto why = features.explain(asked);
        const bool offered = why.allowed_by_level && why.blocked_by.empty();
        if (features.available(asked) != offered) contradictions.fetch_add(1);
      }
      auto admitted = called.try_acquire();
      if (!admitted) {
        refused.fetch_add(1);
      } else {
        static_cast<void>(admitted->complete(i % 3 == 0 ? outcome::success : outcome::failure));
      }
      std::this_thread::yield();
    }
    at_work.fetch_sub(1);
  };
  std::thread first{serve, dependency::database};
  std::thread second{serve, dependency::redis};
  std::thread operating{[&] {
    for (int i = 0; i < rounds; ++i) {
      auto& circuit = staging.watched.described(dependency::redis);
      if (i % 2 == 0) {
        circuit.force_open();
      } else {
        circuit.reset();
      }
      staging.watched.refresh(staging.clock.now());
      static_cast<void>(staging.snapshot());
      std::this_thread::yield();
    }
    at_work.fetch_sub(1);
  }};
  for (int i = 0; at_work.load() > 0; ++i) {
    for (const auto& order : staging.watched.step(staging.clock.now()).probes)
      staging.report(order, i % 5 != 0);
    staging.clock.advance(1s);
  }
  first.join();
  second.join();
  operating.join();

  CHECK(contradictions.load() == 0);
  const auto seen = staging.snapshot();
  CHECK(seen.components[number(dependency::database)].circuit.rejections +
            seen.components[number(dependency::redis)].circuit.rejections >=
        refused.load());

  // Left alone, it recovers.
  for (const auto one : {dependency::database, dependency::redis}) staging.watched.described(one).reset();
  staging.run(10min);
  CHECK(staging.snapshot().score == 100);
  CHECK(staging.snapshot().level == level::optimal);
}
