// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/detector/any_of.hpp"
#include "brownout/detector/failures_within.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::any_of;
using brownout::failures_within;
using brownout::detail::failure_times;

namespace {

/// A breaker on a manual clock, open for 5 s, closed again by one success.
template <class Detector>
struct times_bench {
  explicit times_bench(Detector detector) : circuit{detector, bench::plain({.open_for = 5s}), clock} {}

  void report(outcome result) {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    CHECK(admitted->complete(result) == disposition::counted);
  }
  void fail(int times = 1) {
    for (int i = 0; i < times; ++i) report(outcome::failure);
  }
  void succeed(int times = 1) {
    for (int i = 0; i < times; ++i) report(outcome::success);
  }
  [[nodiscard]] circuit_state state() const { return circuit.observed_state(); }
  [[nodiscard]] auto seen() const { return circuit.snapshot(); }

  manual_clock clock;
  brownout::circuit_breaker<Detector, manual_clock> circuit;
};
template <class Detector>
times_bench(Detector) -> times_bench<Detector>;

std::string refusal(failures_within detector) {
  try {
    detector.validate(0);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

/// Atomics that start as if all but a few numbers had been used.
struct worn_atomics {
  static constexpr std::uint32_t used = 0xffff'ffff - 100;

  template <class T>
  class atomic : public std::atomic<T> {
   public:
    explicit atomic(T value)
        : std::atomic<T>{value == 0 ? T{used} << 46 : static_cast<std::uint32_t>(value + used)} {}
  };
};

/// The times of the failures of one epoch, as anyone would keep them.
class twin {
 public:
  explicit twin(std::uint32_t room) : room_{room} {}

  std::uint32_t record(std::uint64_t epoch, duration now, duration period) {
    if (epoch < epoch_) return 0;
    if (epoch > epoch_) times_.clear();
    epoch_ = epoch;
    times_.push_back(now);
    if (times_.size() > room_) times_.pop_front();
    return read(epoch, now, period);
  }
  [[nodiscard]] std::uint32_t read(std::uint64_t epoch, duration now, duration period) const {
    if (epoch != epoch_) return 0;
    return static_cast<std::uint32_t>(
        std::count_if(times_.begin(), times_.end(), [&](duration at) { return now - at < period; }));
  }

 private:
  std::uint32_t room_;
  std::uint64_t epoch_ = 0;
  std::deque<duration> times_;
};

template <class Atomics>
void agree_for_long(std::uint32_t latest, unsigned seed) {
  CAPTURE(latest, seed);
  std::mt19937 random{seed};
  const auto below = [&](std::uint32_t limit) {
    return std::uniform_int_distribution<std::uint32_t>{0, limit - 1}(random);
  };
  failure_times<Atomics> history{latest};
  twin plain{2 * std::bit_ceil(latest)};
  std::uint64_t epoch = 0;
  duration now{};
  for (int i = 0; i < 20'000; ++i) {
    if (below(3 * latest) == 0) epoch += below(4) == 0 ? 1000U : 1U;
    now += std::chrono::microseconds{below(1000)};
    const auto of = epoch > 0 && below(40) == 0 ? epoch - 1 : epoch;
    if (history.record(of, now, 10ms) != plain.record(of, now, 10ms)) FAIL("record " << i);
    const duration later = now + std::chrono::milliseconds{below(12)};
    if (history.read(epoch, later, 10ms) != plain.read(epoch, later, 10ms)) FAIL("read " << i);
  }
}

}  // namespace

TEST_CASE("as many failures as the threshold within the period open the circuit", "[detector][T9]") {
  times_bench bench{failures_within{.threshold = 3, .period = 60s}};
  bench.fail();
  bench.clock.advance(30s);
  bench.fail();
  SECTION("one tick before the period is over") {
    bench.clock.advance(30s - 1us);
    bench.fail();
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("on the tick the first one is over") {
    bench.clock.advance(30s);
    bench.fail();
    CHECK(bench.state() == circuit_state::closed);
    CHECK(bench.seen().failures == 2);
    bench.clock.advance(30s - 1us);
    bench.fail();  // with the second and the third
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("however many calls succeeded between them") {
    bench.succeed(1000);
    bench.fail();
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("a snapshot shows the failures that count, and no calls") {
    CHECK(bench.seen().failures == 2);
    CHECK(bench.seen().calls == 0);
    bench.clock.advance(30s);
    CHECK(bench.seen().failures == 1);
    bench.clock.advance(24h);
    CHECK(bench.seen().failures == 0);
  }
}

TEST_CASE("a threshold of one opens at each failure, the highest at exactly so many", "[detector]") {
  const auto threshold = GENERATE(1u, 2u, 7u, 8u, 9u, 63u, failures_within::most);
  times_bench bench{failures_within{.threshold = threshold, .period = 1h}};
  bench.fail(static_cast<int>(threshold) - 1);
  CHECK(bench.state() == circuit_state::closed);
  bench.clock.advance(1h - 1ms);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("failures before an outage or a reset do not count after it", "[detector][B8]") {
  times_bench bench{failures_within{.threshold = 3, .period = 1h}};
  SECTION("an outage") {
    bench.fail(3);
    bench.clock.advance(5s);
    bench.succeed();
  }
  SECTION("a reset") {
    bench.fail(2);
    bench.circuit.reset();
  }
  REQUIRE(bench.state() == circuit_state::closed);
  CHECK(bench.seen().failures == 0);
  bench.fail(2);
  CHECK(bench.state() == circuit_state::closed);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("failures within a time count among other detectors", "[detector]") {
  times_bench bench{any_of{consecutive_failures{10}, failures_within{.threshold = 4, .period = 60s}}};
  for (int i = 0; i < 3; ++i) {
    bench.fail();
    bench.succeed();
    bench.clock.advance(1s);
  }
  CHECK(bench.seen().failures == 3);
  CHECK(bench.seen().consecutive_failures == 0);
  CHECK(bench.state() == circuit_state::closed);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("threshold and period of failures within a time are replaced while in use", "[detector][B13]") {
  times_bench bench{failures_within{.threshold = 8, .period = 60s}};
  bench.fail(3);
  bench.clock.advance(2min);
  bench.circuit.reconfigure(failures_within{.threshold = 4, .period = 1h});
  CHECK(bench.seen().failures == 3);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);

  const auto refused = [](failures_within in_use, failures_within next) -> std::string {
    times_bench other{in_use};
    try {
      other.circuit.reconfigure(next);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refused({.threshold = 1}, {.threshold = 8}) == "");
  CHECK(refused({.threshold = 1}, {.threshold = 9}) ==
        "failures_within.threshold = 9: allowed is 1 to 8 while the breaker is in use");
  CHECK(refused({.threshold = 20}, {.threshold = 21}) ==
        "failures_within.threshold = 21: allowed is 1 to 20 while the breaker is in use");
}

TEST_CASE("failures within a time outside their range are refused", "[detector][options]") {
  CHECK(refusal({}) == "");
  CHECK(refusal({.threshold = 64, .period = 24h}) == "");
  CHECK(refusal({.threshold = 1, .period = 1ms}) == "");
  CHECK(refusal({.threshold = 0}) == "failures_within.threshold = 0: allowed is 1 to 64");
  CHECK(refusal({.threshold = 65}) == "failures_within.threshold = 65: allowed is 1 to 64");
  CHECK(refusal({.period = 0s}) == "failures_within.period = 0s: allowed is 1ms to 24h");
  CHECK(refusal({.period = 24h + 1s}) == "failures_within.period = 24h1s: allowed is 1ms to 24h");
}

TEST_CASE("a success writes nothing and reads no clock where failures within a time are counted",
          "[detector][B3][B9]") {
  struct counting_clock {
    int* readings;
    [[nodiscard]] time_point now() const noexcept { return ++*readings, time_point{}; }
  };
  int readings = 0;
  brownout::circuit_breaker<failures_within, counting_clock, interrupted_atomics> circuit{
      failures_within{}, {}, counting_clock{&readings}};
  static_cast<void>(circuit.try_acquire()->complete(outcome::failure));
  const auto before = std::exchange(readings, 0);
  CHECK(before > 0);
  int accesses = 0;
  interruption::action = [&] { FAIL("never"); };
  interruption::accesses_left = 1000;
  static_cast<void>(circuit.try_acquire()->complete(outcome::success));
  accesses = 1000 - interruption::accesses_left;
  interruption::accesses_left = -1;
  interruption::action = nullptr;
  CHECK(accesses == 2);
  CHECK(readings == 0);
}

TEST_CASE("times of failures agree with a queue over long random histories", "[detector][exhaustive]") {
  static_assert(!std::is_copy_constructible_v<failure_times<brownout::std_atomics>>);
  for (const auto latest : {1u, 2u, 8u, 31u, 64u}) {
    agree_for_long<brownout::std_atomics>(latest, latest);
    agree_for_long<worn_atomics>(latest, latest + 100);
  }
}

TEST_CASE("of two threads that fail at once the second sees both failures, and a new epoch none",
          "[detector][B8]") {
  // One record interrupted by another operation before each of its accesses: both orders are allowed, and no
  // other ending.
  for (const bool filled : {false, true}) {
    for (const bool next_epoch : {false, true}) {
      for (int access = 0;; ++access) {
        failure_times<interrupted_atomics> history{2};
        if (filled) {
          for (int i = 0; i < 10; ++i) static_cast<void>(history.record(0, 0s, 10s));
        }
        std::uint32_t other = 0;
        interruption::action = [&] { other = history.record(next_epoch ? 1 : 0, 20s, 10s); };
        interruption::accesses_left = access;
        const auto own = history.record(0, 20s, 10s);
        interruption::accesses_left = -1;
        if (std::exchange(interruption::action, nullptr)) break;
        CAPTURE(filled, next_epoch, access, own, other);
        if (next_epoch) {
          CHECK(other == 1);
          CHECK(own <= 1);
          CHECK(history.read(0, 20s, 10s) == 0);
          CHECK(history.read(1, 20s, 10s) == 1);
        } else {
          CHECK(((own == 1 && other == 2) || (own == 2 && other == 1)));
          CHECK(history.read(0, 20s, 10s) == 2);
        }
      }
    }
  }
}

TEST_CASE("a compare-and-swap that fails for no reason loses no time of a failure", "[detector]") {
  for (int access = 0;; ++access) {
    failure_times<interrupted_atomics> history{2};
    static_cast<void>(history.record(0, 0s, 10s));
    interruption::action = [] { interruption::spurious_failures = 1; };
    interruption::accesses_left = access;
    CHECK(history.record(1, 1s, 10s) == 1);
    interruption::accesses_left = -1;
    interruption::spurious_failures = 0;
    if (std::exchange(interruption::action, nullptr)) break;
    CHECK(history.read(1, 1s, 10s) == 1);
    CHECK(history.record(1, 2s, 10s) == 2);
  }
}

TEST_CASE("threads lose no failure, and bring none of an earlier epoch into a later one",
          "[detector][threads]") {
  constexpr int threads = 4;
  constexpr std::uint32_t each = 16;
  failure_times<brownout::std_atomics> history{threads * each};
  std::atomic<std::uint32_t> wrong{0};
  for (std::uint64_t epoch = 1; epoch <= 300; ++epoch) {
    std::atomic<int> missing{threads};
    std::atomic<std::uint32_t> sum{0};
    std::vector<std::thread> running;
    for (int number = 0; number < threads; ++number) {
      running.emplace_back([&] {
        for (missing.fetch_sub(1); missing.load() > 0;) std::this_thread::yield();
        for (std::uint32_t i = 0; i < each; ++i) {
          sum.fetch_add(history.record(epoch, 1s, 1h));
          if (i % 4 == 0 && history.record(epoch - 1, 1s, 1h) != 0 && i > 0) wrong.fetch_add(1);
          if (i % 8 == 0 && history.read(epoch, 1s, 1h) < i + 1) wrong.fetch_add(1);
        }
      });
    }
    for (auto& one : running) one.join();
    REQUIRE(history.read(epoch, 1s, 1h) == threads * each);
    // Each failure saw itself and those before it: 1 + 2 + ... + 64.
    REQUIRE(sum.load() == threads * each * (threads * each + 1) / 2);
  }
  CHECK(wrong.load() == 0);
}
