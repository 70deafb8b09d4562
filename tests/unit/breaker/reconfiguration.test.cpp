// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/detector/any_of.hpp"
#include "brownout/detector/failure_rate.hpp"

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

using namespace breaker_test;

namespace {

template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("options are replaced while the circuit is in use, and it keeps state and statistics",
          "[breaker][B13][B13a]") {
  bench bench{bench::plain({.name = "bench", .open_for = 5s, .lease = 2s})};
  bench.fail(2);

  SECTION("closed: what was counted counts on") {
    bench.circuit.reconfigure(bench::plain({.open_for = 7s}));
    CHECK(bench.circuit.snapshot().consecutive_failures == 2);
    CHECK(bench.epoch() == 0);
    bench.fail();
    CHECK(bench.circuit.snapshot().retry_after == 7s);
  }
  SECTION("open: the period that runs keeps its length, the next one has the new one") {
    bench.fail();
    bench.circuit.reconfigure(bench::plain({.open_for = 7s}));
    CHECK(bench.state() == circuit_state::open);
    CHECK(bench.circuit.snapshot().retry_after == 5s);
    bench.clock.advance(5s);
    bench.fail();
    CHECK(bench.circuit.snapshot().retry_after == 7s);
  }
  SECTION("half-open: more probes, fewer successes, another lease at once") {
    bench.fail();
    bench.clock.advance(5s);
    auto first = bench.acquire();
    CHECK_FALSE(bench.circuit.try_acquire());
    bench.circuit.reconfigure({.probes = 2, .successes = 2, .ramp = brownout::no_ramp, .lease = 9s});
    auto second = bench.acquire();
    CHECK(bench.circuit.try_acquire().rejection().retry_after == 9s);
    CHECK(first.complete(outcome::success) == disposition::counted);
    bench.circuit.reconfigure({.successes = 1, .ramp = brownout::no_ramp});
    CHECK(second.complete(outcome::success) == disposition::counted);
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("half-open: fewer successes than there have been, and the next one still gets through") {
    bench.circuit.reconfigure({.open_for = 5s, .successes = 3, .ramp = brownout::no_ramp});
    bench.fail();
    bench.clock.advance(5s);
    bench.succeed(2);
    bench.circuit.reconfigure({.successes = 1, .ramp = brownout::no_ramp});
    bench.succeed();
    CHECK(bench.state() == circuit_state::closed);
  }
  CHECK(bench.circuit.name() == "bench");
}

TEST_CASE("a detector is replaced while the circuit is in use", "[breaker][B13][B13b]") {
  bench bench;
  bench.fail(2);
  SECTION("a higher threshold") {
    bench.circuit.reconfigure(consecutive_failures{5});
    bench.fail(2);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  SECTION("a threshold that has been passed: the next failure trips") {
    bench.circuit.reconfigure(consecutive_failures{1});
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("what can't be replaced is refused, and nothing has changed", "[breaker][B13][B13c][options]") {
  bench bench;
  CHECK(refusal([&] { bench.circuit.reconfigure({.name = "other", .open_for = 1s}); }) ==
        "breaker_options.name = 'other': allowed is 'bench'");
  CHECK(refusal([&] { bench.circuit.reconfigure({.probes = 0}); }) ==
        "breaker 'bench': breaker_options.probes = 0: allowed is 1 to 255");
  CHECK(refusal([&] { bench.circuit.reconfigure(consecutive_failures{0}); }) ==
        "breaker 'bench': consecutive_failures.threshold = 0: allowed is 1 to 1000000");
  CHECK(bench.circuit.options().probes == 2);
  CHECK(bench.circuit.detector().threshold == 3);

  using rate = brownout::failure_rate<>;
  brownout::circuit_breaker circuit{brownout::any_of{consecutive_failures{}, rate{.window = {50}}}};
  CHECK(refusal([&] {
          circuit.reconfigure(brownout::any_of{consecutive_failures{}, rate{.window = {60}}});
        }) == "failure_rate.window.size = 60: allowed is 50: a window in use keeps its size");
  circuit.reconfigure(brownout::any_of{consecutive_failures{9}, rate{.threshold = 0.9, .window = {50}}});
  CHECK(circuit.detector().first.threshold == 9);
  CHECK(circuit.detector().second.threshold == 0.9);
}

TEST_CASE("nobody sees half of one configuration and half of another", "[breaker][B13][B13d]") {
  // Sixteen words of one number each.
  struct many {
    std::uint64_t numbers[16];
    explicit many(std::uint64_t number) {
      for (auto& one : numbers) one = number;
    }
  };
  brownout::detail::live_value<many> value{many{0}};
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::thread reader{[&] {
    std::uint64_t latest = 0;
    while (!done.load(std::memory_order_relaxed)) {
      const auto seen = value.read();
      for (const auto one : seen->numbers) {
        if (one != seen->numbers[0] || one < latest) torn.fetch_add(1, std::memory_order_relaxed);
      }
      latest = seen->numbers[0];
    }
  }};
  for (std::uint64_t i = 1; i <= 100'000; ++i) value.write(many{i});
  done.store(true, std::memory_order_relaxed);
  reader.join();
  CHECK(torn.load() == 0);
  CHECK(value.read()->numbers[15] == 100'000);
}
