// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/breaker/preset.hpp"
#include "brownout/detector/any_of.hpp"
#include "brownout/detector/failure_balance.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

using namespace breaker_test;
using brownout::any_of;
using brownout::count_window;
using brownout::failure_balance;
using brownout::failure_rate;
using brownout::slow_call_rate;
using brownout::time_window;

static_assert(brownout::detector<failure_balance>);

namespace {

/// A breaker with some detector on a manual clock, open for 5 s, closed again by one success.
template <class Detector>
struct detector_bench {
  explicit detector_bench(Detector detector) : circuit{detector, options(), clock} {}

  static breaker_options options() { return bench::plain({.open_for = 5s}); }

  void report(outcome result, int times = 1, duration took = {}) {
    for (int i = 0; i < times; ++i) {
      auto admitted = circuit.try_acquire();
      REQUIRE(admitted);
      clock.advance(took);
      CHECK(admitted->complete(result) == disposition::counted);
    }
  }
  void fail(int times = 1) { report(outcome::failure, times); }
  void succeed(int times = 1) { report(outcome::success, times); }

  [[nodiscard]] circuit_state state() const { return circuit.observed_state(); }

  manual_clock clock;
  brownout::circuit_breaker<Detector, manual_clock> circuit;
};
template <class Detector>
detector_bench(Detector) -> detector_bench<Detector>;

template <class Detector>
std::string refusal(Detector detector) {
  try {
    const brownout::circuit_breaker<Detector> built{detector};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the balance of failures and successes opens the circuit", "[detector][detector][T3]") {
  detector_bench bench{failure_balance{3}};
  for (int i = 0; i < 100; ++i) {  // as many of each: never more than one ahead
    bench.fail();
    bench.succeed();
  }
  bench.succeed(50);  // a surplus of successes is not saved up
  CHECK(bench.circuit.snapshot().failure_balance == 0);
  bench.fail(2);
  bench.succeed();
  CHECK(bench.circuit.snapshot().failure_balance == 1);
  bench.fail();
  CHECK(bench.state() == circuit_state::closed);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("a share of failures in the latest calls opens the circuit, from a minimum of calls on",
          "[detector][detector][T4]") {
  detector_bench bench{failure_rate<>{.threshold = 0.5, .minimum_calls = 10, .window = {20}}};
  bench.fail(9);
  CHECK(bench.state() == circuit_state::closed);  // nine of nine, and no evidence
  CHECK(bench.circuit.snapshot().failures == 9);
  CHECK(bench.circuit.snapshot().calls == 9);

  SECTION("the tenth call succeeds: a success opens no circuit") {
    bench.succeed();
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("exactly the share") {
    bench.succeed(10);  // 9 of 19
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();  // 10 of 20
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("failures that have left the window count no more") {
    bench.succeed(20);
    CHECK(bench.circuit.snapshot().failures == 0);
    CHECK(bench.circuit.snapshot().calls == 20);
    bench.fail(9);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("an outage leaves nothing behind") {
    bench.fail();
    REQUIRE(bench.state() == circuit_state::open);
    bench.clock.advance(5s);
    bench.succeed();
    REQUIRE(bench.state() == circuit_state::closed);
    CHECK(bench.circuit.snapshot().calls == 0);
    bench.fail(9);
    CHECK(bench.state() == circuit_state::closed);
  }
}

TEST_CASE("a bad call is found again however long the window was clean", "[detector][detector][B3]") {
  // Once the window is full and clean, successes are no longer written into it.
  const auto clean = GENERATE(0, 1, 19, 20, 26, 27, 28, 1000);
  detector_bench bench{failure_rate<>{.threshold = 0.15, .minimum_calls = 20, .window = {20}}};
  bench.succeed(40 + clean);
  bench.fail();
  CHECK(bench.circuit.snapshot().failures == 1);
  bench.succeed(10);
  bench.fail();
  CHECK(bench.circuit.snapshot().failures == 2);
  bench.succeed(9);  // the first failure is the oldest of the 20 and leaves with the next call
  CHECK(bench.circuit.snapshot().failures == (bench.circuit.snapshot().calls == 20 ? 1 : 2));
  bench.fail();
  CHECK(bench.state() == circuit_state::closed);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("a time window forgets by itself", "[detector][detector][T5]") {
  detector_bench bench{failure_rate<time_window>{.threshold = 0.5, .minimum_calls = 4, .window = {10s}}};
  bench.fail(3);
  bench.clock.advance(11s);
  CHECK(bench.circuit.snapshot().calls == 0);
  bench.fail(3);
  CHECK(bench.state() == circuit_state::closed);
  bench.clock.advance(5s);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("a share of slow calls opens the circuit, however they ended", "[detector][detector][T6]") {
  detector_bench bench{
      slow_call_rate<>{.threshold = 0.5, .slower_than = 1s, .minimum_calls = 4, .window = {8}}};
  bench.report(outcome::success, 3, 1s);  // not slower than the limit
  CHECK(bench.circuit.snapshot().slow_calls == 0);
  bench.report(outcome::success, 1, 1s + 1ns);
  bench.report(outcome::failure, 1, 2s);
  bench.report(outcome::failure, 1, 1s);  // failed, and fast
  CHECK(bench.circuit.snapshot().slow_calls == 2);
  CHECK(bench.circuit.snapshot().calls == 6);
  CHECK(bench.state() == circuit_state::closed);
  bench.report(outcome::success, 1, 2s);
  CHECK(bench.state() == circuit_state::closed);
  bench.report(outcome::success, 1, 2s);
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("failures count as slow calls where that is asked for, in one share with them", "[detector]") {
  const bool count_failures = GENERATE(false, true);
  detector_bench bench{slow_call_rate<>{.threshold = 0.5,
                                        .slower_than = 1s,
                                        .minimum_calls = 10,
                                        .window = {10},
                                        .count_failures = count_failures}};
  SECTION("failures alone") {
    bench.fail(9);
    CHECK(bench.state() == circuit_state::closed);
    CHECK(bench.circuit.snapshot().slow_calls == (count_failures ? 9 : 0));
    bench.fail();
  }
  SECTION("some slow, some failed, and some both") {
    bench.succeed(5);
    bench.report(outcome::success, 2, 2s);
    bench.fail();
    bench.report(outcome::failure, 1, 2s);
    CHECK(bench.state() == circuit_state::closed);  // 4 of 9
    bench.fail();
    CHECK(bench.circuit.snapshot().calls == (count_failures ? 0 : 10));
  }
  CHECK(bench.state() == (count_failures ? circuit_state::open : circuit_state::closed));
}

TEST_CASE("a call that was counted when it was overdue does not count again when it fails",
          "[detector][B11]") {
  using in_flight = slow_call_rate<count_window, brownout::slow_calls::in_flight>;
  detector_bench bench{in_flight{
      .threshold = 0.5, .slower_than = 1s, .minimum_calls = 4, .window = {8}, .count_failures = true}};
  bench.succeed(2);
  auto hanging = bench.circuit.try_acquire();
  bench.clock.advance(2s);
  bench.succeed();  // finds the one that hangs
  CHECK(bench.circuit.snapshot().slow_calls == 1);
  CHECK(hanging->complete(outcome::failure) == disposition::counted);
  CHECK(bench.circuit.snapshot().slow_calls == 1);
  CHECK(bench.circuit.snapshot().calls == 4);
  bench.fail();  // fast, and not counted before
  CHECK(bench.circuit.snapshot().slow_calls == 2);
}

TEST_CASE("without a minimum of calls twenty are evidence, or a full window of fewer",
          "[detector][options]") {
  const auto size = GENERATE(1u, 10u, 19u, 20u, 21u, 1000u);
  const auto minimum = std::min(size, 20u);
  SECTION("share of failures") {
    detector_bench bench{failure_rate<>{.window = {size}}};
    CHECK(bench.circuit.detector().minimum_calls == minimum);
    bench.fail(static_cast<int>(minimum) - 1);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("share of slow calls") {
    detector_bench bench{slow_call_rate<>{.slower_than = 1s, .window = {size}}};
    CHECK(bench.circuit.detector().minimum_calls == minimum);
    bench.report(outcome::success, static_cast<int>(minimum) - 1, 2s);
    CHECK(bench.state() == circuit_state::closed);
    bench.report(outcome::success, 1, 2s);
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("among others") {
    detector_bench bench{any_of{consecutive_failures{1000}, failure_rate<>{.window = {size}}}};
    CHECK(bench.circuit.detector().second.minimum_calls == minimum);
  }
  SECTION("over a time") {
    CHECK(brownout::circuit_breaker{failure_rate<time_window>{}}.detector().minimum_calls == 20);
  }
  SECTION("replaced while in use") {
    detector_bench bench{failure_rate<>{.minimum_calls = 1, .window = {size}}};
    bench.circuit.reconfigure(failure_rate<>{.threshold = 0.9, .window = {size}});
    CHECK(bench.circuit.detector().minimum_calls == minimum);
    bench.circuit.reconfigure(bench.circuit.detector());
  }
}

TEST_CASE("a refused option says which breaker it is of, where that has a name", "[detector][options]") {
  const auto refused = [](auto&& act) -> std::string {
    try {
      act();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  const auto built = [](failure_rate<> detector, breaker_options options) {
    brownout::circuit_breaker{detector, std::move(options)};
  };
  CHECK(refused([&] { built({.minimum_calls = 11, .window = {10}}, {.name = "database"}); }) ==
        "breaker 'database': failure_rate.minimum_calls = 11: allowed is 1 to 10, the size of the window");
  CHECK(refused([&] { built({}, {.name = "database", .probes = 0}); }) ==
        "breaker 'database': breaker_options.probes = 0: allowed is 1 to 255");
  CHECK(refused([&] { built({}, {.probes = 0}); }) == "breaker_options.probes = 0: allowed is 1 to 255");
  CHECK(refused([&] { built({}, {.name = std::string(129, 'n')}); }) ==
        "breaker_options.name = " + std::string(128, 'n') + "...: allowed is up to 128 bytes");

  brownout::circuit_breaker database{failure_rate<>{}, {.name = "database"}};
  CHECK(refused([&] { database.reconfigure({.probes = 0}); }) ==
        "breaker 'database': breaker_options.probes = 0: allowed is 1 to 255");
  CHECK(refused([&] { database.reconfigure(failure_rate<>{.threshold = 2}); }) ==
        "breaker 'database': failure_rate.threshold = 2: allowed is above 0, up to 1");
  CHECK(refused([&] { database.reconfigure(failure_rate<>{.window = {60}}); }) ==
        "breaker 'database': failure_rate.window.size = 60: allowed is 100: a window in use keeps its size");
}

TEST_CASE("where slow calls open the circuit, a slow probe does not close it", "[detector][detector]") {
  detector_bench bench{slow_call_rate<>{.slower_than = 1s, .minimum_calls = 4, .window = {8}}};
  bench.report(outcome::success, 4, 2s);
  REQUIRE(bench.state() == circuit_state::open);
  bench.clock.advance(5s);
  bench.report(outcome::success, 1, 2s);
  CHECK(bench.state() == circuit_state::open);
  bench.clock.advance(5s);
  bench.report(outcome::success, 1, 1s);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("a share is reached exactly where it says so", "[detector][detector]") {
  const auto percent = GENERATE(7, 14, 28, 29, 55, 56, 57, 58, 100);
  detector_bench bench{failure_rate<>{.threshold = percent / 100.0, .minimum_calls = 100, .window = {100}}};
  bench.succeed(100 - percent);
  bench.fail(percent - 1);
  CHECK(bench.state() == circuit_state::closed);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("only an any_of that counts overdue calls says when a call is overdue", "[detector][T8]") {
  const auto tells = [](const auto& rules) {
    return requires {
      rules.overdue_after();
    };
  };
  CHECK_FALSE(tells(any_of{consecutive_failures{}, failure_rate<>{}}));
  CHECK(tells(any_of{consecutive_failures{},
                     slow_call_rate<brownout::count_window, brownout::slow_calls::in_flight>{}}));
}

TEST_CASE("the first of several detectors to trip opens the circuit", "[detector][detector][T8]") {
  detector_bench bench{any_of{consecutive_failures{5}, failure_rate<>{.threshold = 0.4, .minimum_calls = 10},
                              slow_call_rate<>{.slower_than = 1s, .minimum_calls = 3}}};
  SECTION("a row") {
    bench.fail(5);
  }
  SECTION("a share") {
    for (int i = 0; i < 3; ++i) {
      bench.succeed(2);
      bench.fail();
    }
    bench.succeed();
    CHECK(bench.circuit.snapshot().failures == 3);
    CHECK(bench.circuit.snapshot().calls == 10);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail(2);  // 5 of 12
  }
  SECTION("slow ones") {
    bench.report(outcome::success, 3, 2s);
  }
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("presets have the figures of the libraries that they are named after",
          "[detector][detector][options]") {
  using namespace brownout::presets;
  const brownout::circuit_breaker r4j{resilience4j("r4j")};
  CHECK(r4j.name() == "r4j");
  CHECK(r4j.detector().threshold == 0.5);
  CHECK(r4j.detector().minimum_calls == 100);
  CHECK(r4j.detector().window.size == 100);
  CHECK(r4j.options().open_for.least(1, 0s, 0) == 60s);
  CHECK(r4j.options().probes == 10);
  CHECK(r4j.options().probe_rate.calls == 10);
  CHECK(r4j.options().probe_rate.failure_threshold == 0.5);
  CHECK(r4j.options().probe_rate.slow_threshold == 1);
  CHECK(r4j.options().ramp.first == 0);

  const auto checked = [](const auto& circuit, duration open_for) {
    CHECK(circuit.options().open_for.least(1, 0s, 0) == open_for);
    CHECK(circuit.options().probes == 1);
    CHECK(circuit.options().successes == 1);
    CHECK(circuit.options().ramp.first == 0);
    return circuit.detector();
  };
  const auto of_polly = checked(brownout::circuit_breaker{polly()}, 5s);
  CHECK(of_polly.threshold == 0.1);
  CHECK(of_polly.minimum_calls == 100);
  CHECK(of_polly.window.length == 30s);
  CHECK(checked(brownout::circuit_breaker{gobreaker()}, 60s).threshold == 6);
  const auto of_hystrix = checked(brownout::circuit_breaker{hystrix()}, 5s);
  CHECK(of_hystrix.threshold == 0.5);
  CHECK(of_hystrix.minimum_calls == 20);
  CHECK(of_hystrix.window.length == 10s);
}

TEST_CASE("a detector that can't work is refused with its field, its value and the range",
          "[detector][detector][options]") {
  CHECK(refusal(failure_rate<>{.threshold = 0}) == "failure_rate.threshold = 0: allowed is above 0, up to 1");
  CHECK(refusal(failure_rate<>{.threshold = 1.01}) ==
        "failure_rate.threshold = 1.01: allowed is above 0, up to 1");
  CHECK(refusal(failure_rate<>{.threshold = std::nan("")}) ==
        "failure_rate.threshold = nan: allowed is above 0, up to 1");
  CHECK(refusal(failure_rate<>{.minimum_calls = 101}) ==
        "failure_rate.minimum_calls = 101: allowed is 1 to 100, the size of the window");
  CHECK(refusal(failure_rate<>{.window = {0}}) == "count_window.size = 0: allowed is 1 to 1000");
  CHECK(refusal(failure_rate<time_window>{.window = {99ms}}) ==
        "time_window.length = 99ms: allowed is 100ms to 1h");
  CHECK(refusal(slow_call_rate<>{}) == "slow_call_rate.slower_than = 0s: allowed is 1us to 24h");
  CHECK(refusal(slow_call_rate<>{.threshold = 2, .slower_than = 1s}) ==
        "slow_call_rate.threshold = 2: allowed is above 0, up to 1");
  CHECK(refusal(failure_balance{0}) == "failure_balance.threshold = 0: allowed is 1 to 1000000");
  CHECK(refusal(any_of{consecutive_failures{2047}, failure_balance{}}) ==
        "consecutive_failures.threshold = 2047: allowed is 1 to 2046");
  CHECK(refusal(any_of{consecutive_failures{2046}, failure_balance{4095}}) ==
        "failure_balance.threshold = 4095: allowed is 1 to 4094");
  CHECK(refusal(any_of{consecutive_failures{}, failure_rate<>{}, failure_balance{63}}) ==
        "failure_balance.threshold = 63: allowed is 1 to 62");
  CHECK(refusal(any_of{consecutive_failures{2046}, failure_balance{4094}}) == "");
  const any_of three{failure_rate<>{}, failure_rate<>{}, failure_rate<>{}};
  CHECK(refusal(any_of{failure_rate<>{}, three}) == "");
  CHECK(refusal(any_of{failure_rate<>{}, any_of{failure_rate<>{}, three}}) ==
        "any_of = detectors nested too deep for their marks: allowed is up to four detectors");
  CHECK(refusal(failure_rate<time_window>{.minimum_calls = 300'001}) ==
        "failure_rate.minimum_calls = 300001: allowed is 1 to 300000");
}
