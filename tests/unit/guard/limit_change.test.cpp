// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/counted_atomics.hpp"
#include "unit/guard/limit_scene.hpp"
#include "unit/interrupted_atomics.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

using namespace limit_test;
using breaker_test::counted_atomics;
using breaker_test::interruption;
using breaker_test::loads_and_writes;

TEST_CASE("admission and return write the word of the limit once each, and one total", "[guard][A9]") {
  scene<counted_atomics> here;
  counted_atomics::of(
      [&] { CHECK(counted_atomics::of([&] { static_cast<void>(here.limit.try_acquire()); }).second == 3); });
  static_cast<void>(here.take(1));
  SECTION("a refusal writes one total only, except the first of a window") {
    const auto held = here.fill();
    CHECK(counted_atomics::of([&] { static_cast<void>(here.limit.try_acquire()); }) ==
          loads_and_writes{3, 1});
  }
  SECTION("a sample that cannot change the verdict writes nothing") {
    here.start(10, 0ms);
    auto place = here.limit.try_acquire();
    CHECK(counted_atomics::of([&] { place->started(); }).second == 0);
  }
}

TEST_CASE("the window is ended once, wherever a second call interrupts the call that ends it",
          "[guard][A9]") {
  int interrupted = 0;
  for (int access = 0; access < 200; ++access) {
    scene<breaker_test::interrupted_atomics> here;
    here.start(9, 6ms);
    auto first = here.take(1);
    auto second = here.take(1);
    here.clock.advance(200ms);
    interruption::action = [&] { second[0].started(); };
    interruption::accesses_left = access;
    first[0].started();
    interruption::accesses_left = -1;
    if (std::exchange(interruption::action, nullptr) != nullptr) break;
    ++interrupted;
    CHECK(here.value() == 18);
    CHECK(here.limit.snapshot().last_change.number == 1);
    CHECK(here.limit.snapshot().in_flight == 2);
    here.too_slow();  // nothing is stuck
    CHECK(here.value() == 16);
  }
  CHECK(interrupted > 10);
}

TEST_CASE("a call is admitted or refused rightly, wherever a change of the limit interrupts it",
          "[guard][A9]") {
  int interrupted = 0;
  for (int access = 0; access < 40; ++access) {
    scene<breaker_test::interrupted_atomics> here;
    auto held = here.take(19);
    here.start(9, 6ms);
    here.clock.advance(100ms);
    interruption::action = [&] { held[18].started(); };  // 20 -> 18: from then on there is no place
    interruption::accesses_left = access;
    {
      const auto admitted = here.limit.try_acquire(call_priority::critical_plus);
      interruption::accesses_left = -1;
      if (std::exchange(interruption::action, nullptr) != nullptr) break;
      ++interrupted;
      CHECK(here.value() == 18);
      CHECK(here.limit.snapshot().in_flight == (admitted ? 20 : 19));
    }
    CHECK(here.limit.snapshot().in_flight == 19);
  }
  CHECK(interrupted >= 3);
}

TEST_CASE("threads never have more calls in flight than the limit allows", "[guard][A9]") {
  brownout::adaptive_limit limit{{.target_delay = 100us, .first = 3, .most = 3}};
  std::atomic<int> in_flight{0};
  std::atomic<int> most{0};
  std::atomic<std::uint64_t> admitted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5'000; ++round) {
        auto place = limit.try_acquire(call_priority::critical_plus);
        if (!place) continue;
        const auto now = in_flight.fetch_add(1) + 1;
        auto seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        place->started();
        in_flight.fetch_sub(1);
        admitted.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (auto& one : threads) one.join();
  const auto shown = limit.snapshot();
  CHECK(most <= 3);
  CHECK(shown.in_flight == 0);
  CHECK(shown.admitted == admitted);
  CHECK(shown.admitted + shown.limit_reached == 6 * 5'000);
}

TEST_CASE("threads, options that change and a listener leave the limit whole", "[guard][A9]") {
  brownout::adaptive_limit limit{{.target_delay = 100us, .first = 50}};
  std::atomic<std::uint64_t> heard{0};
  std::atomic<bool> in_order{true};
  limit.listen([&, last = std::uint64_t{0}](const limit_change& made) mutable {
    if (made.number <= last) in_order = false;
    last = made.number;
    heard.store(made.number);
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 3'000; ++round) {
        auto place = limit.try_acquire(call_priority::critical_plus);
        if (place) place->started();
      }
    });
  }
  threads.emplace_back([&] {
    for (std::uint32_t round = 0; round < 300; ++round) {
      limit.reconfigure({.target_delay = 100us, .most = 10 + round % 40});
    }
  });
  for (auto& one : threads) one.join();
  const auto shown = limit.snapshot();
  CHECK(shown.in_flight == 0);
  CHECK(shown.limit <= 49);
  CHECK(shown.last_change.number > 0);
  CHECK(heard == shown.last_change.number);
  CHECK(in_order);
}

TEST_CASE("every change says why", "[guard][A10]") {
  scene<> here;
  std::vector<limit_change> heard;
  here.limit.listen([&](const limit_change& made) { heard.push_back(made); });
  CHECK(here.limit.snapshot().last_change.number == 0);

  here.too_slow();
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].number == 1);
  CHECK(heard[0].at == here.clock.now());
  CHECK(heard[0].from == 20);
  CHECK(heard[0].to == 18);
  CHECK(heard[0].cause == limit_change_cause::delay);
  CHECK(heard[0].in_flight == 1);
  CHECK(heard[0].samples == 10);
  CHECK(heard[0].above == 10);

  here.in_demand();
  REQUIRE(heard.size() == 2);
  CHECK(heard[1].cause == limit_change_cause::demand);
  CHECK(heard[1].above == 0);

  here.limit.reconfigure({.target_delay = 5ms, .most = 7});
  REQUIRE(heard.size() == 3);
  CHECK(heard[2].cause == limit_change_cause::options);
  CHECK(heard[2].to == 7);

  here.limit.reconfigure({.latency_budget = 1s, .most = 7});
  CHECK(heard.size() == 3);  // the limit did not change
  here.complete(10, 2s);
  REQUIRE(heard.size() == 4);
  CHECK(heard[3].cause == limit_change_cause::latency);
  CHECK(to_string(heard[3].cause) == "latency");

  const auto last = here.limit.snapshot().last_change;
  CHECK(last.number == 4);
  CHECK(last.from == 7);
  CHECK(last.to == 6);
}

TEST_CASE("a listener may use its limit, may throw and may be replaced", "[guard][A10]") {
  scene<> here;
  SECTION("it may change the options, and hears of that after it has returned") {
    std::vector<std::uint32_t> heard;
    bool inside = false;
    here.limit.listen([&](const limit_change& made) {
      CHECK_FALSE(inside);
      inside = true;
      heard.push_back(made.to);
      if (made.number == 1) here.limit.reconfigure({.target_delay = 5ms, .most = 10});
      inside = false;
    });
    here.too_slow();
    CHECK(heard == std::vector<std::uint32_t>{18, 10});
  }
  SECTION("if it throws, calls go on") {
    here.limit.listen([](const limit_change&) { throw std::runtime_error{"no"}; });
    here.too_slow();
    here.too_slow();
    CHECK(here.value() == 16);
    CHECK(here.limit.snapshot().listener_failures == 2);
  }
  SECTION("the next one hears later changes only") {
    int first = 0;
    int second = 0;
    here.limit.listen([&](const limit_change&) { ++first; });
    here.too_slow();
    here.limit.listen([&](const limit_change&) { ++second; });
    here.too_slow();
    here.limit.listen({});
    here.too_slow();
    CHECK(first == 1);
    CHECK(second == 1);
  }
  SECTION("the next one does not hear of a change before it, even if that is not delivered yet") {
    std::vector<std::uint64_t> heard;
    here.limit.listen([&](const limit_change&) {
      here.limit.reconfigure({.target_delay = 5ms, .most = 10});  // change 2, which waits for this listener
      here.limit.listen([&](const limit_change& made) { heard.push_back(made.number); });
    });
    here.too_slow();
    CHECK(heard.empty());
    here.too_slow();
    CHECK(heard == std::vector<std::uint64_t>{3});
  }
  SECTION("it may take itself away") {
    int heard = 0;
    const auto alive = std::make_shared<int>(0);
    here.limit.listen([&, alive](const limit_change&) {
      ++heard;
      here.limit.listen({});
    });
    here.too_slow();
    here.too_slow();
    CHECK(heard == 1);
    CHECK(alive.use_count() == 1);
  }
}

TEST_CASE("a listener that was replaced does not run any more", "[guard][A10]") {
  scene<> here;
  std::atomic<bool> is_inside{false};
  std::atomic<bool> may_go{false};
  std::atomic<bool> has_left{false};
  here.limit.listen([&](const limit_change&) {
    is_inside = true;
    while (!may_go) std::this_thread::yield();
    has_left = true;
  });
  std::thread caller{[&] { here.too_slow(); }};
  while (!is_inside) std::this_thread::yield();
  std::atomic<bool> is_replaced{false};
  std::atomic<bool> had_left{false};
  std::thread replacing{[&] {
    here.limit.listen({});
    had_left = has_left.load();
    is_replaced = true;
  }};
  const auto deadline = std::chrono::steady_clock::now() + 50ms;
  while (!is_replaced && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK_FALSE(is_replaced);
  may_go = true;
  replacing.join();
  caller.join();
  CHECK(had_left);
}

TEST_CASE("options of an adaptive limit change while calls are in flight", "[guard][A10]") {
  scene<> here{{.name = "server", .target_delay = 5ms}};
  auto held = here.take(15);
  here.limit.reconfigure({.target_delay = 10ms, .most = 10});
  CHECK(here.limit.name() == "server");
  CHECK(here.limit.options().name == "server");
  CHECK(here.limit.options().target_delay == 10ms);
  CHECK(here.value() == 10);
  CHECK_FALSE(here.limit.try_acquire());
  held.clear();
  here.start(9, 9ms);
  here.end_window(9ms);
  CHECK(here.value() == 10);
  CHECK_THROWS_WITH(here.limit.reconfigure({.name = "other", .target_delay = 1ms}),
                    "adaptive_limit 'server': adaptive_limit_options.name = 'other': allowed is 'server'");
  CHECK_THROWS_WITH(
      here.limit.reconfigure({}),
      "adaptive_limit 'server': adaptive_limit_options.target_delay = 0s: allowed is 100us to 1h");
  CHECK(here.limit.options().most == 10);
}
