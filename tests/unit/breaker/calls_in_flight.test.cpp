// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/core/atomics.hpp"
#include "brownout/detector/any_of.hpp"
#include "brownout/detector/failure_balance.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"

#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::count_window;
using brownout::slow_call_rate;
using brownout::slow_calls;

namespace {

using overdue_calls = slow_call_rate<count_window, slow_calls::in_flight>;

constexpr overdue_calls after_one_second{
    .threshold = 0.5, .slower_than = 1s, .minimum_calls = 4, .window = {100}};

template <class Detector, class Atomics = brownout::std_atomics>
struct watched {
  using breaker = brownout::circuit_breaker<Detector, manual_clock, Atomics>;
  using permits = std::vector<typename breaker::permit>;

  manual_clock clock;
  breaker circuit;

  explicit watched(Detector detector)
      : circuit{detector, bench::plain({.open_for = 5s, .probes = 1, .lease = 2s}), clock} {}

  [[nodiscard]] typename breaker::permit take() {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    return *std::move(admitted);
  }
  [[nodiscard]] permits take(int count) {
    permits held;
    for (int i = 0; i < count; ++i) held.push_back(take());
    return held;
  }
};

}  // namespace

TEST_CASE("calls that hang open the circuit when they are overdue, not when they return",
          "[breaker][B11][B11a][T7]") {
  watched bench{after_one_second};
  auto hung = bench.take(4);
  bench.clock.advance(1s);
  CHECK(bench.circuit.try_acquire());  // at the limit, not beyond it
  bench.clock.advance(200ms);
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(bench.circuit.observed_state() == circuit_state::open);
  for (auto& permit : hung) CHECK(permit.complete(outcome::success) == disposition::late);
}

TEST_CASE("a call that hangs for a year without a look at it is overdue", "[breaker][B11]") {
  auto detector = after_one_second;
  detector.minimum_calls = 1;
  watched bench{detector};
  auto hung = bench.take();
  bench.clock.advance(24h * 365);
  CHECK_FALSE(bench.circuit.try_acquire());
}

TEST_CASE("a call is not overdue before it is, whatever is left of a microsecond", "[breaker][B11]") {
  auto detector = after_one_second;
  detector.slower_than = 1s + 500ns;
  detector.minimum_calls = 1;
  watched bench{detector};
  bench.clock.advance(600ns);
  auto hung = bench.take();
  bench.clock.advance(1s + 500ns);
  CHECK(bench.circuit.try_acquire());
  bench.clock.advance(1s);
  CHECK_FALSE(bench.circuit.try_acquire());
}

TEST_CASE("without that a call that hangs counts for nothing until it returns", "[breaker][B11]") {
  watched bench{slow_call_rate<>{.threshold = 0.5, .slower_than = 1s, .minimum_calls = 4}};
  auto hung = bench.take(4);
  bench.clock.advance(1min);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().calls == 0);
  for (auto& permit : hung) CHECK(permit.complete(outcome::success) == disposition::counted);
  CHECK(bench.circuit.observed_state() == circuit_state::open);
}

TEST_CASE("a call that was counted when it was overdue does not count again when it ends",
          "[breaker][B11][B11b]") {
  auto detector = after_one_second;
  detector.minimum_calls = 100;
  watched bench{detector};
  auto slow = bench.take(3);
  auto quick = bench.take();
  CHECK(quick.complete(outcome::success) == disposition::counted);
  bench.clock.advance(1200ms);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().calls == 4);
  CHECK(bench.circuit.snapshot().slow_calls == 3);
  CHECK(slow[0].complete(outcome::success) == disposition::counted);
  CHECK(slow[1].complete(outcome::failure) == disposition::counted);
  CHECK(slow[2].complete(outcome::cancelled) == disposition::released);
  CHECK(bench.circuit.snapshot().calls == 4);
  CHECK(bench.circuit.snapshot().slow_calls == 3);
  bench.clock.advance(1h);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().calls == 4);
}

TEST_CASE("a slow call that ends before anybody looks counts when it ends", "[breaker][B11]") {
  watched bench{after_one_second};
  auto slow = bench.take();
  bench.clock.advance(5s);
  CHECK(slow.complete(outcome::success) == disposition::counted);
  CHECK(bench.circuit.snapshot().calls == 1);
  CHECK(bench.circuit.snapshot().slow_calls == 1);
}

TEST_CASE("who stands beside a detector of overdue calls hears of them when they end", "[breaker][B11]") {
  auto detector = after_one_second;
  detector.minimum_calls = 100;
  watched bench{brownout::any_of{brownout::failure_rate<>{.window = {100}}, detector}};
  auto slow = bench.take(2);
  bench.clock.advance(1200ms);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().slow_calls == 2);
  CHECK(bench.circuit.snapshot().failures == 0);
  CHECK(slow[0].complete(outcome::failure) == disposition::counted);
  CHECK(slow[1].complete(outcome::success) == disposition::counted);
  const auto seen = bench.circuit.snapshot();
  CHECK(seen.slow_calls == 2);
  CHECK(seen.failures == 1);
  CHECK(seen.calls == 2);
}

TEST_CASE("a detector of slow calls that have ended does not count them while they are in flight",
          "[breaker][B11]") {
  const auto opens = [](auto detector, duration ends_after) -> std::string {
    watched bench{detector};
    auto held = bench.take(4);
    bench.clock.advance(2s);
    static_cast<void>(bench.circuit.try_acquire());
    if (bench.circuit.observed_state() == circuit_state::open) return "before they end";
    bench.clock.advance(ends_after - 2s);
    for (auto& permit : held) static_cast<void>(permit.complete(outcome::success));
    return bench.circuit.observed_state() == circuit_state::open ? "when they end" : "never";
  };
  auto watching = after_one_second;
  watching.minimum_calls = 100;
  const slow_call_rate<> after_five{.threshold = 0.5, .slower_than = 5s, .minimum_calls = 4};
  CHECK(opens(brownout::any_of{after_five, watching}, 10s) == "when they end");
  CHECK(opens(brownout::any_of{watching, after_five}, 10s) == "when they end");
  CHECK(opens(brownout::any_of{after_five, watching}, 4s) == "never");
  auto after_half = after_five;
  after_half.slower_than = 500ms;
  CHECK(opens(brownout::any_of{after_half, watching}, 4s) == "when they end");
}

TEST_CASE("an overdue call ends no row of failures", "[breaker][B11]") {
  auto detector = after_one_second;
  detector.minimum_calls = 100;
  watched bench{brownout::any_of{consecutive_failures{3}, brownout::failure_balance{3}, detector}};
  auto slow = bench.take();
  for (int i = 0; i < 2; ++i) CHECK(bench.take().complete(outcome::failure) == disposition::counted);
  bench.clock.advance(1200ms);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().slow_calls == 1);
  CHECK(bench.circuit.snapshot().consecutive_failures == 2);
  CHECK(bench.circuit.snapshot().failure_balance == 2);
}

TEST_CASE("admissions look for overdue calls eight times in the limit, and once a second at least",
          "[breaker][B11][B11c]") {
  auto detector = after_one_second;
  detector.minimum_calls = 100;
  const auto [limit, rest] =
      GENERATE(std::pair<duration, duration>{1s, 125ms}, std::pair<duration, duration>{1min, 1s});
  detector.slower_than = limit;
  watched bench{detector};
  auto first = bench.take();
  bench.clock.advance(1ms);
  auto second = bench.take();
  bench.clock.advance(limit);  // the second is just at its limit
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().slow_calls == 1);
  bench.clock.advance(rest - 1ns);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().slow_calls == 1);
  bench.clock.advance(1ns);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().slow_calls == 2);
}

TEST_CASE("256 calls in flight are watched, and those beyond count when they end", "[breaker][B11][B11d]") {
  auto detector = after_one_second;
  detector.window.size = 1000;
  detector.minimum_calls = 1000;
  watched bench{detector};
  auto held = bench.take(300);
  bench.clock.advance(2s);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().slow_calls == 256);
  for (auto& permit : held) CHECK(permit.complete(outcome::success) == disposition::counted);
  CHECK(bench.circuit.snapshot().slow_calls == 300);
  CHECK(bench.circuit.snapshot().calls == 300);

  held = bench.take(256);  // all places are free again
  bench.clock.advance(2s);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().slow_calls == 556);
}

TEST_CASE("a permit that is dropped, moved away or reported frees its place", "[breaker][B5][B11]") {
  auto detector = after_one_second;
  detector.minimum_calls = 100;
  watched bench{detector};
  for (int i = 0; i < 1000; ++i) {
    auto permit = bench.take();
    if (i % 3 == 0) permit = bench.take();
    if (i % 3 == 1) auto moved = std::move(permit);
    if (i % 3 == 2) static_cast<void>(permit.complete(outcome::ignored));
  }
  auto slow = bench.take();
  bench.clock.advance(2s);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().slow_calls == 1);
}

TEST_CASE("overdue calls of an older epoch count nowhere", "[breaker][B6][B8][B11]") {
  watched bench{after_one_second};
  auto old = bench.take(10);
  bench.circuit.reset();
  bench.clock.advance(2s);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().calls == 0);
  for (auto& permit : old) CHECK(permit.complete(outcome::failure) == disposition::late);
  CHECK(bench.circuit.snapshot().late_results == 10);
}

TEST_CASE("a circuit that only measures counts overdue calls and stays as it is", "[breaker][B1][B11]") {
  watched bench{after_one_second};
  bench.circuit.measure_only();
  auto hung = bench.take(10);
  bench.clock.advance(2s);
  CHECK(bench.circuit.try_acquire());
  CHECK(bench.circuit.snapshot().slow_calls == 10);
  CHECK(bench.circuit.observed_state() == circuit_state::metrics_only);
}

TEST_CASE("half-open, nothing but its lease ends a probe that hangs", "[breaker][B5][B11][B11e]") {
  watched bench{after_one_second};
  auto hung = bench.take(4);
  bench.clock.advance(2s);
  REQUIRE_FALSE(bench.circuit.try_acquire());
  bench.clock.advance(5s);
  auto probe = bench.take();
  bench.clock.advance(1900ms);
  CHECK_FALSE(bench.circuit.try_acquire());
  CHECK(bench.circuit.observed_state() == circuit_state::half_open);
  bench.clock.advance(100ms);
  CHECK(bench.circuit.try_acquire());
}

TEST_CASE("a call that ends in the moment that it is found overdue counts once", "[breaker][B11]") {
  auto detector = after_one_second;
  detector.minimum_calls = 100;
  const bool finder_is_interrupted = GENERATE(false, true);
  int interrupted = 0;
  for (int access = 0;; ++access) {
    watched<overdue_calls, interrupted_atomics> bench{detector};
    auto slow = bench.take();
    bench.clock.advance(2s);
    const auto finds = [&] { CHECK(bench.circuit.try_acquire()); };
    const auto ends = [&] { CHECK(slow.complete(outcome::success) == disposition::counted); };
    if (finder_is_interrupted) {
      interruption::action = ends;
    } else {
      interruption::action = finds;
    }
    interruption::accesses_left = access;
    finder_is_interrupted ? finds() : ends();
    interruption::accesses_left = -1;
    if (std::exchange(interruption::action, nullptr)) break;
    ++interrupted;
    INFO("before access " << access);
    CHECK(bench.circuit.snapshot().calls == 1);
    CHECK(bench.circuit.snapshot().slow_calls == 1);
  }
  CHECK(interrupted > 5);
}

TEST_CASE("threads whose calls are overdue or not count each of them once", "[breaker][B11]") {
  constexpr int threads = 4;
  constexpr int each = 200;
  auto detector = after_one_second;
  detector.minimum_calls = detector.window.size = threads * each;
  watched bench{detector};
  bench.circuit.measure_only();
  std::vector<std::thread> callers;
  for (int number = 0; number < threads; ++number) {
    callers.emplace_back([&, number] {
      for (int i = 0; i < each; ++i) {
        auto admitted = bench.circuit.try_acquire();
        if ((i + number) % 3 == 0) bench.clock.advance(1500ms);
        static_cast<void>(bench.circuit.try_acquire());  // looks, and is dropped
        static_cast<void>(admitted->complete(outcome::success));
      }
    });
  }
  for (auto& caller : callers) caller.join();
  CHECK(bench.circuit.snapshot().calls == threads * each);
  // At least: what one thread waits, the others' calls have waited too.
  CHECK(bench.circuit.snapshot().slow_calls >= threads * each / 3);
}
