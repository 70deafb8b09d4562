// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/detector/any_of.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"

#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::any_of;
using brownout::count_window;
using brownout::failure_rate;
using brownout::slow_call_rate;
using brownout::slow_calls;

namespace {

constexpr slow_call_rate<> after_one_second{.threshold = 0.5, .slower_than = 1s, .minimum_calls = 10};
constexpr slow_call_rate<count_window, slow_calls::in_flight> overdue_after_one_second{
    .threshold = 0.5, .slower_than = 1s, .minimum_calls = 10};

/// A breaker whose calls take as long as a test says.
template <class Detector>
struct timed {
  using breaker = brownout::circuit_breaker<Detector, manual_clock>;

  explicit timed(Detector detector, breaker_options options = {.open_for = 5s, .probes = 1})
      : circuit{detector, bench::plain(std::move(options)), clock} {}

  [[nodiscard]] typename breaker::permit take() {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    return *std::move(admitted);
  }
  disposition report(outcome result, duration took) {
    auto permit = take();
    clock.advance(took);
    return permit.complete(result);
  }
  void report(int times, outcome result, duration took) {
    for (int i = 0; i < times; ++i) CHECK(report(result, took) == disposition::counted);
  }
  [[nodiscard]] std::uint32_t slow_results() const { return circuit.snapshot().slow_results; }
  [[nodiscard]] std::uint32_t failed_results() const { return circuit.snapshot().failed_results; }

  manual_clock clock;
  breaker circuit;
};

// A breaker whose detector does not time calls pays nothing for this total.
static_assert(sizeof(void*) != 8 || sizeof(brownout::circuit_breaker<>) <= 128);

}  // namespace

TEST_CASE("a snapshot counts the slow calls that did not fail, since construction", "[breaker][B7][B7j]") {
  timed bench{after_one_second};
  bench.report(3, outcome::success, 1s + 1ns);
  bench.report(2, outcome::success, 1s);
  CHECK(bench.slow_results() == 3);
  bench.report(1, outcome::failure, 2s);
  bench.report(1, outcome::failure, 0s);
  CHECK(bench.slow_results() == 3);
  CHECK(bench.failed_results() == 2);

  bench.circuit.reset();
  CHECK(bench.circuit.snapshot().slow_calls == 0);
  CHECK(bench.slow_results() == 3);
}

TEST_CASE("a fast failure that counts as a slow call is a failed result and no slow one",
          "[breaker][B7][B7j]") {
  auto detector = after_one_second;
  detector.count_failures = true;
  timed bench{detector};
  bench.report(2, outcome::failure, 1ms);
  bench.report(1, outcome::success, 2s);
  CHECK(bench.circuit.snapshot().slow_calls == 3);
  CHECK(bench.failed_results() == 2);
  CHECK(bench.slow_results() == 1);
}

TEST_CASE("a breaker that does not time calls has no slow results", "[breaker][B7][B7j]") {
  timed bench{failure_rate<>{}};
  bench.report(3, outcome::success, 1h);
  CHECK(bench.slow_results() == 0);
}

TEST_CASE("any detector of an any_of can make a call slow, and it counts once", "[breaker][B7][B7j]") {
  auto after_two_seconds = after_one_second;
  after_two_seconds.slower_than = 2s;
  timed bench{any_of{failure_rate<>{}, after_one_second, after_two_seconds}};
  bench.report(1, outcome::success, 1500ms);
  bench.report(1, outcome::success, 3s);
  bench.report(1, outcome::failure, 3s);
  CHECK(bench.slow_results() == 2);
  CHECK(bench.failed_results() == 1);
}

TEST_CASE("the slow call that opens the circuit counts, before listeners hear of the opening",
          "[breaker][B7][B7j]") {
  timed bench{after_one_second};
  std::uint32_t seen = 0;
  const auto listening = bench.circuit.subscribe(
      [&](const brownout::transition_event&) { seen = bench.circuit.snapshot().slow_results; });
  bench.report(10, outcome::success, 2s);
  REQUIRE(bench.circuit.observed_state() == circuit_state::open);
  CHECK(seen == 10);
  CHECK(bench.slow_results() == 10);
}

TEST_CASE("a call that would have opened the circuit counts once", "[breaker][B7][B7j]") {
  timed bench{after_one_second};
  bench.circuit.measure_only();
  bench.report(12, outcome::success, 2s);
  CHECK(bench.slow_results() == 12);
}

TEST_CASE("slow probes count, whatever they decide", "[breaker][B7][B7j]") {
  SECTION("one opens the circuit again") {
    timed bench{after_one_second};
    REQUIRE(bench.circuit.trip());
    CHECK(bench.slow_results() == 0);  // no call was slow
    bench.clock.advance(5s);
    bench.report(1, outcome::success, 2s);
    REQUIRE(bench.circuit.observed_state() == circuit_state::open);
    CHECK(bench.slow_results() == 1);
    CHECK(bench.failed_results() == 0);
  }
  SECTION("ten decide together") {
    timed bench{after_one_second, {.open_for = 5s, .probe_rate = {.calls = 10, .slow_threshold = 0.9}}};
    REQUIRE(bench.circuit.trip());
    bench.clock.advance(5s);
    bench.report(8, outcome::success, 2s);
    bench.report(2, outcome::success, 0s);
    REQUIRE(bench.circuit.observed_state() == circuit_state::closed);
    CHECK(bench.slow_results() == 8);
  }
}

TEST_CASE("what does not count as a result is no slow result", "[breaker][B7][B7j]") {
  timed bench{after_one_second};
  CHECK(bench.report(outcome::ignored, 2s) == disposition::released);
  CHECK(bench.report(outcome::cancelled, 2s) == disposition::released);
  auto late = bench.take();
  bench.circuit.reset();
  bench.clock.advance(2s);
  CHECK(late.complete(outcome::success) == disposition::late);
  bench.circuit.disable();
  CHECK(bench.report(outcome::success, 2s) == disposition::released);
  CHECK(bench.slow_results() == 0);
}

TEST_CASE("a call that is overdue counts as a slow result at once, and not again when it ends",
          "[breaker][B11][B7j]") {
  timed bench{overdue_after_one_second};
  auto succeeds = bench.take();
  auto fails = bench.take();
  auto is_cancelled = bench.take();
  bench.clock.advance(1200ms);
  static_cast<void>(bench.take());  // looks, and is dropped
  CHECK(bench.slow_results() == 3);
  CHECK(succeeds.complete(outcome::success) == disposition::counted);
  CHECK(fails.complete(outcome::failure) == disposition::counted);
  CHECK(is_cancelled.complete(outcome::cancelled) == disposition::released);
  CHECK(bench.slow_results() == 3);
  CHECK(bench.failed_results() == 1);

  bench.report(1, outcome::success, 1100ms);  // slow, and not seen before it ends
  CHECK(bench.slow_results() == 4);
}

TEST_CASE("the overdue call that opens the circuit counts once", "[breaker][B11][B7j]") {
  timed bench{overdue_after_one_second};
  std::vector<timed<slow_call_rate<count_window, slow_calls::in_flight>>::breaker::permit> held;
  for (int i = 0; i < 10; ++i) held.push_back(bench.take());
  bench.clock.advance(1200ms);
  CHECK_FALSE(bench.circuit.try_acquire());
  REQUIRE(bench.circuit.observed_state() == circuit_state::open);
  CHECK(bench.slow_results() == 10);
  for (auto& permit : held) CHECK(permit.complete(outcome::success) == disposition::late);
  CHECK(bench.slow_results() == 10);
}

TEST_CASE("slow results of several threads are all counted", "[breaker][B7][B7j]") {
  constexpr std::uint32_t threads = 4;
  constexpr std::uint32_t each = 500;
  timed bench{after_one_second};
  bench.circuit.measure_only();
  std::vector<std::thread> callers;
  for (std::uint32_t number = 0; number < threads; ++number) {
    callers.emplace_back([&] {
      for (std::uint32_t i = 0; i < each; ++i) {
        auto admitted = bench.circuit.try_acquire();
        bench.clock.advance(1001ms);
        static_cast<void>(admitted->complete(i % 4 == 0 ? outcome::failure : outcome::success));
      }
    });
  }
  for (auto& caller : callers) caller.join();
  CHECK(bench.failed_results() == threads * each / 4);
  CHECK(bench.slow_results() == threads * each * 3 / 4);
}
