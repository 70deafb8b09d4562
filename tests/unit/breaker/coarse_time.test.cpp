// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/detector/any_of.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"
#include "brownout/detector/standard_detector.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <random>
#include <vector>

// A coarse reading of the clock lies up to 10 ms behind a precise one. Nothing that a breaker decides may
// show it, apart from where it is documented: `retry_after` and the ends of a window.

using namespace breaker_test;
using brownout::coarse_resolution;

namespace {

/// The coarse reading of a system clock: the time of the latest tick.
void move(manual_clock& clock, duration by, duration tick) {
  clock.advance(by);
  clock.set_coarse_lag(clock.now().time_since_epoch() % tick);
}

/// A clock that knows how often each kind of reading was asked for.
struct counted_clock {
  manual_clock clock;
  std::shared_ptr<int> precise = std::make_shared<int>(0);
  std::shared_ptr<int> coarse = std::make_shared<int>(0);

  [[nodiscard]] time_point now() const noexcept { return ++*precise, clock.now(); }
  [[nodiscard]] time_point coarse_now() const noexcept { return ++*coarse, clock.coarse_now(); }
};
static_assert(brownout::clock_source<counted_clock>);

constexpr std::array<duration, 6> lags{0ns, 1ns, 1ms, 4ms, 10ms - 1ns, 10ms};

}  // namespace

TEST_CASE("an open period ends exactly when it is over, however far the coarse clock lies behind",
          "[breaker][B19][B19a]") {
  const auto lag_at_start = GENERATE(from_range(lags));
  const auto lag_at_end = GENERATE(from_range(lags));
  const auto period = GENERATE(1ms, 4ms, 10ms, 11ms, 20ms, 5s);
  bench bench{{.open_for = period, .probes = 1}, 3, time_point{1h}};
  bench.clock.advance(7ms);
  bench.clock.set_coarse_lag(lag_at_start);
  bench.trip();
  CHECK_FALSE(bench.circuit.try_acquire());
  bench.clock.set_coarse_lag(lag_at_end);
  bench.clock.advance(period - 1ns);
  CHECK_FALSE(bench.circuit.try_acquire());
  bench.clock.advance(1ns);
  CHECK(bench.circuit.try_acquire());
}

TEST_CASE("a refused call is never told to wait too short, and at most 10 ms or the whole period too long",
          "[breaker][B19][B19b]") {
  const auto tick = GENERATE(1ms, 4ms, 10ms);
  const auto period = GENERATE(1ms, 15ms, 100ms, 5s);
  bench bench{{.open_for = period, .probes = 1}};
  move(bench.clock, 3ms, tick);
  bench.trip();
  const auto until = bench.clock.now() + period;
  for (; bench.clock.now() < until; move(bench.clock, 700us, tick)) {
    const auto refused = bench.circuit.try_acquire();
    REQUIRE_FALSE(refused);
    const auto told = refused.rejection().retry_after;
    CHECK(told >= until - bench.clock.now());
    CHECK(told <= until - bench.clock.now() + coarse_resolution);
    CHECK(told <= period);
  }
  CHECK(bench.circuit.try_acquire());
}

TEST_CASE("the time that a circuit is held for ends exactly when it is over", "[breaker][B19]") {
  const auto lag = GENERATE(from_range(lags));
  bench bench;
  bench.clock.advance(1h);
  bench.clock.set_coarse_lag(lag);

  SECTION("forced open: then calls probe it") {
    bench.circuit.force_open_for(100ms);
    bench.clock.advance(100ms - 1ns);
    CHECK(bench.circuit.try_acquire().rejection().reason == rejection_reason::forced_open);
    bench.clock.advance(1ns);
    CHECK(bench.circuit.try_acquire());
  }
  SECTION("disabled: then it closes") {
    bench.circuit.disable_for(100ms);
    bench.clock.advance(100ms - 1ns);
    CHECK(bench.report(outcome::failure) == disposition::released);
    bench.clock.advance(1ns);
    CHECK(bench.report(outcome::failure) == disposition::counted);
  }
}

TEST_CASE("a lost probe is given up exactly when its lease is over", "[breaker][B19]") {
  const auto lag = GENERATE(from_range(lags));
  const auto lease = GENERATE(1ms, 10ms, 2s);
  bench bench{{.open_for = 5s, .probes = 1, .lease = lease}};
  auto lost = bench.first_probe();
  bench.clock.set_coarse_lag(lag);
  bench.clock.advance(lease - 1ns);
  CHECK(bench.circuit.try_acquire().rejection().reason == rejection_reason::probes_in_flight);
  bench.clock.advance(1ns);
  CHECK(bench.circuit.try_acquire());
  CHECK(lost.complete(outcome::success) == disposition::late);
}

TEST_CASE("a breaker on a coarse clock decides as one on a precise clock does", "[breaker][B19]") {
  struct twin {
    manual_clock clock;
    brownout::circuit_breaker<brownout::standard_detector, manual_clock> circuit;
    std::vector<typename decltype(circuit)::permit> held{};

    explicit twin(const breaker_options& options) : circuit{{}, options, clock} {}
  };
  const auto seed = GENERATE(range(0U, 30U));
  const auto tick = GENERATE(1ms, 4ms, 10ms);
  const breaker_options options{.open_for = brownout::adaptive_period{100ms, 2s},
                                .probes = 1 + seed % 3,
                                .ramp = {.first = 2},
                                .lease = 300ms,
                                .seed = 7};
  twin precise{options};
  twin coarse{options};
  std::mt19937 random{seed};
  const auto below = [&](unsigned limit) { return random() % limit; };
  for (int step = 0; step < 2000; ++step) {
    const duration passed = std::chrono::microseconds{below(4) == 0 ? below(200'000) : below(6'000)};
    precise.clock.advance(passed);
    move(coarse.clock, passed, tick);
    if (!precise.held.empty() && below(2) == 0) {
      const auto which = static_cast<std::ptrdiff_t>(below(static_cast<unsigned>(precise.held.size())));
      const auto result = below(3) == 0 ? outcome::success : outcome::failure;
      CHECK(coarse.held[static_cast<std::size_t>(which)].complete(result) ==
            precise.held[static_cast<std::size_t>(which)].complete(result));
      coarse.held.erase(coarse.held.begin() + which);
      precise.held.erase(precise.held.begin() + which);
    } else if (auto admitted = precise.circuit.try_acquire()) {
      auto same = coarse.circuit.try_acquire();
      REQUIRE(same);
      precise.held.push_back(*std::move(admitted));
      coarse.held.push_back(*std::move(same));
    } else {
      const auto refused = coarse.circuit.try_acquire();
      REQUIRE_FALSE(refused);
      CHECK(refused.rejection().reason == admitted.rejection().reason);
      CHECK(refused.rejection().retry_after >= admitted.rejection().retry_after);
      CHECK(refused.rejection().retry_after <= admitted.rejection().retry_after + coarse_resolution);
    }
    const auto shown = coarse.circuit.snapshot();
    const auto wanted = precise.circuit.snapshot();
    REQUIRE(shown.epoch == wanted.epoch);
    REQUIRE(shown.state == wanted.state);
    CHECK(shown.since == wanted.since);
    CHECK(shown.retry_after == wanted.retry_after);
    CHECK(shown.rejections == wanted.rejections);
  }
}

TEST_CASE("a failure leaves a window of time at most 10 ms later than by a precise clock",
          "[breaker][B19][B19c]") {
  const auto lag = GENERATE(from_range(lags));
  manual_clock clock;
  brownout::circuit_breaker<brownout::failure_rate<brownout::time_window>, manual_clock> circuit{
      {.minimum_calls = 2, .window = {1s}}, bench::plain({.open_for = 5s}), clock};
  const auto failures = [&] { return circuit.snapshot().failures; };
  clock.advance(1h);
  static_cast<void>(circuit.try_acquire()->complete(outcome::failure));
  clock.set_coarse_lag(lag);

  clock.advance(1s - 1ns);
  CHECK(failures() == 1);
  clock.advance(lag);
  CHECK(failures() == 1);
  clock.advance(1ns);
  CHECK(failures() == 0);
}

TEST_CASE("a snapshot shows the window that decides", "[breaker][B19]") {
  const auto lag = GENERATE(from_range(lags));
  manual_clock clock{time_point{1h}};
  brownout::circuit_breaker<brownout::failure_rate<brownout::time_window>, manual_clock> circuit{
      {.threshold = 1, .minimum_calls = 2, .window = {100ms}}, bench::plain({.open_for = 5s}), clock};
  clock.set_coarse_lag(lag);
  clock.advance(1s + lag);
  static_cast<void>(circuit.try_acquire()->complete(outcome::failure));
  // By the coarse clock the failure is 1 ns younger than the window is long, by the precise one perhaps not.
  clock.advance(100ms - 1ns);
  CHECK(circuit.snapshot().failures == 1);
  static_cast<void>(circuit.try_acquire()->complete(outcome::failure));
  CHECK(circuit.observed_state() == circuit_state::open);
}

TEST_CASE("the length of a call is measured precisely", "[breaker][B19][B19d]") {
  const auto lag_at_start = GENERATE(from_range(lags));
  const auto lag_at_end = GENERATE(from_range(lags));
  manual_clock clock{time_point{1h}};
  const auto slow_calls_after = [&](auto detector, duration took) {
    brownout::circuit_breaker circuit{detector, bench::plain({.open_for = 5s}), clock};
    clock.advance(1h);
    clock.set_coarse_lag(lag_at_start);
    auto admitted = circuit.try_acquire();
    clock.set_coarse_lag(lag_at_end);
    clock.advance(took);
    CHECK(admitted->complete(outcome::success) == disposition::counted);
    return circuit.snapshot().slow_calls;
  };
  using brownout::slow_call_rate;
  const slow_call_rate<> ended{.slower_than = 5ms};
  CHECK(slow_calls_after(ended, 5ms) == 0);
  CHECK(slow_calls_after(ended, 5ms + 1ns) == 1);
  const slow_call_rate<brownout::time_window> in_time{.slower_than = 5ms, .window = {100ms}};
  CHECK(slow_calls_after(in_time, 5ms) == 0);
  CHECK(slow_calls_after(in_time, 5ms + 1ns) == 1);
  const brownout::any_of either{brownout::failure_rate<brownout::time_window>{}, in_time};
  CHECK(slow_calls_after(either, 5ms + 1ns) == 1);
}

TEST_CASE("a call in flight is overdue exactly when its limit is over", "[breaker][B11][B19]") {
  const auto lag = GENERATE(from_range(lags));
  manual_clock clock{time_point{1h}};
  const brownout::slow_call_rate<brownout::time_window, brownout::slow_calls::in_flight> detector{
      .slower_than = 8ms, .window = {100ms}};
  brownout::circuit_breaker circuit{detector, bench::plain({.open_for = 5s}), clock};
  const auto look = [&] { static_cast<void>(circuit.try_acquire()->complete(outcome::ignored)); };
  clock.set_coarse_lag(lag);
  clock.advance(1s);
  auto hung = circuit.try_acquire();
  clock.advance(8ms);
  look();
  CHECK(circuit.snapshot().slow_calls == 0);
  clock.advance(1ms);
  look();
  CHECK(circuit.snapshot().slow_calls == 1);  // in the window at once, not when the coarse clock gets there
  hung->complete(outcome::ignored);
}

TEST_CASE("a call refused long before the deadline reads the coarse clock alone", "[breaker][B9][B19]") {
  counted_clock clock;
  brownout::circuit_breaker circuit{consecutive_failures{1}, bench::plain({.open_for = 5s, .lease = 2s}),
                                    clock};
  struct readings {
    int precise, coarse;
    bool operator==(const readings&) const = default;
  };
  const auto readings_of_try = [&] {
    *clock.precise = *clock.coarse = 0;
    const bool admitted = !!circuit.try_acquire();
    CHECK_FALSE(admitted);
    return readings{*clock.precise, *clock.coarse};
  };
  static_cast<void>(circuit.try_acquire()->complete(outcome::failure));
  CHECK(readings_of_try() == readings{0, 1});
  clock.clock.advance(5s - 10ms - 1ns);
  CHECK(readings_of_try() == readings{0, 1});
  clock.clock.advance(1ns);
  CHECK(readings_of_try() ==
        readings{1, 1});  // the coarse clock may be 10 ms behind: the precise one decides
  clock.clock.advance(10ms);
  auto probe = circuit.try_acquire();
  REQUIRE(probe);
  CHECK(readings_of_try() == readings{0, 1});
  clock.clock.advance(2s - 10ms);
  CHECK(readings_of_try() == readings{1, 1});
  circuit.force_open_for(1s);
  CHECK(readings_of_try() == readings{0, 1});
  circuit.force_open();
  CHECK(readings_of_try() == readings{0, 0});
}
