// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::adaptive_period;
using brownout::decorrelated_period;
using brownout::exponential_period;
using brownout::fixed_period;
using brownout::open_period;

namespace {

/// A breaker that opens at the first failure, on a manual clock, with all options as given.
struct recovery_bench {
  explicit recovery_bench(breaker_options options)
      : circuit{consecutive_failures{1}, std::move(options), clock} {}

  tested_breaker::permit acquire() {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    return *std::move(admitted);
  }
  void report(outcome result, duration retry_after = {}) {
    CHECK(acquire().complete(result, retry_after) == disposition::counted);
  }
  [[nodiscard]] auto seen() const { return circuit.snapshot(); }
  /// Waits until a probe may pass, and fails it (from closed: just fails a call).
  void fail_when_possible(duration retry_after = {}) {
    while (seen().retry_after > 0s) {
      clock.advance(seen().retry_after);
      if (seen().retry_after > 0s) static_cast<void>(circuit.try_acquire());  // perhaps it waits for refusals
    }
    report(outcome::failure, retry_after);
    REQUIRE(seen().state == circuit_state::open);
  }

  manual_clock clock;
  tested_breaker circuit;
};

std::string refusal(breaker_options options) {
  try {
    const tested_breaker built{consecutive_failures{}, std::move(options), manual_clock{}};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

/// The lengths of the open periods of an outage, one after the other.
std::vector<duration> lengths(open_period rule, int count, std::uint64_t seed = 7) {
  recovery_bench bench{{.open_for = rule, .seed = seed}};
  std::vector<duration> seen;
  while (count-- > 0) {
    bench.fail_when_possible();
    seen.push_back(bench.seen().retry_after);
  }
  return seen;
}

}  // namespace

TEST_CASE("probes go one after the other until enough have succeeded", "[breaker][B4][B4b][B12]") {
  recovery_bench bench{{.open_for = 5s, .probes = 2, .successes = 3, .ramp = brownout::no_ramp}};
  bench.fail_when_possible();
  bench.clock.advance(5s);
  auto first = bench.acquire();
  auto second = bench.acquire();
  CHECK_FALSE(bench.circuit.try_acquire());  // two at a time
  CHECK(first.complete(outcome::success) == disposition::counted);
  auto third = bench.acquire();
  CHECK(second.complete(outcome::success) == disposition::counted);
  CHECK_FALSE(bench.circuit.try_acquire());  // the third success is on its way: a fourth call is not needed
  CHECK(bench.seen().probes_succeeded == 2);
  CHECK(bench.seen().probes_needed == 3);
  CHECK(third.complete(outcome::success) == disposition::counted);
  CHECK(bench.seen().state == circuit_state::closed);
}

TEST_CASE("after the probes the limit of calls in flight rises", "[breaker][B12][B12a]") {
  recovery_bench bench{{.open_for = 5s, .successes = 1, .ramp = {.first = 2, .successes = 4}, .lease = 3s}};
  bench.fail_when_possible();
  bench.clock.advance(5s);
  auto early = bench.acquire();
  const auto probing = bench.seen().epoch;
  CHECK(early.complete(outcome::success) == disposition::counted);
  REQUIRE(bench.seen().state == circuit_state::half_open);
  CHECK(bench.seen().epoch == probing + 1);  // late probes have no say on the ramp
  CHECK(bench.seen().in_flight_limit == 2);
  CHECK(bench.seen().probes_needed == 4);

  SECTION("refusals say why, and as they come nothing is proven") {
    bench.report(outcome::success);  // the limit is 3 now
    auto one = bench.acquire();
    auto two = bench.acquire();
    auto three = bench.acquire();
    CHECK(bench.seen().probes_succeeded == 1);
    const auto refused = bench.circuit.try_acquire();
    REQUIRE_FALSE(refused);
    CHECK(refused.rejection() == rejection{rejection_reason::recovering, 3s});
    CHECK(bench.seen().probes_succeeded == 0);
    for (auto* each : {&one, &two, &three}) CHECK(each->complete(outcome::success) == disposition::counted);
    CHECK(bench.seen().state == circuit_state::half_open);
    CHECK(bench.seen().in_flight_limit == 6);
    bench.report(outcome::success);
    CHECK(bench.seen().state == circuit_state::closed);
  }
  SECTION("a failure lowers the limit by one") {
    bench.report(outcome::success);
    bench.report(outcome::success);
    bench.report(outcome::failure);
    CHECK(bench.seen().in_flight_limit == 3);
    CHECK(bench.seen().probes_succeeded == 0);
    for (int i = 0; i < 4; ++i) bench.report(outcome::success);
    CHECK(bench.seen().state == circuit_state::closed);
  }
  SECTION("at a limit of one a failure opens the circuit, in the same outage") {
    bench.report(outcome::failure);
    CHECK(bench.seen().in_flight_limit == 1);
    bench.report(outcome::failure);
    CHECK(bench.seen().state == circuit_state::open);
    CHECK(bench.seen().open_period == 2);
  }
  SECTION("calls that never end are given up, and probing begins again") {
    auto one = bench.acquire();
    auto two = bench.acquire();
    bench.clock.advance(3s - 1ns);
    CHECK_FALSE(bench.circuit.try_acquire());
    bench.clock.advance(1ns);
    auto probe = bench.acquire();
    CHECK(bench.seen().in_flight_limit == 1);
    CHECK(one.complete(outcome::success) == disposition::late);
    CHECK(two.complete(outcome::failure) == disposition::late);
    CHECK(probe.complete(outcome::success) == disposition::counted);
    CHECK(bench.seen().in_flight_limit == 2);
  }
  SECTION("a call that is given back frees its place and proves nothing") {
    static_cast<void>(bench.acquire());
    CHECK(bench.acquire().complete(outcome::ignored) == disposition::released);
    CHECK(bench.seen().probes_in_flight == 0);
    CHECK(bench.seen().in_flight_limit == 2);
    CHECK(bench.seen().probes_succeeded == 0);
  }
}

TEST_CASE("a ramp that nobody bounds ends at the highest limit", "[breaker][B12]") {
  recovery_bench bench{{.open_for = 5s, .successes = 1, .ramp = {.first = 250, .successes = 15}}};
  bench.fail_when_possible();
  bench.clock.advance(5s);
  bench.report(outcome::success);
  for (int i = 0; i < 4; ++i) bench.report(outcome::success);
  CHECK(bench.seen().in_flight_limit == 254);
  bench.report(outcome::success);
  CHECK(bench.seen().state == circuit_state::closed);
}

TEST_CASE("an exponential period grows to its cap", "[breaker][B12][B12b]") {
  CHECK(lengths(exponential_period{1s, 2, 5s, 0}, 5) == std::vector<duration>{1s, 2s, 4s, 5s, 5s});
  CHECK(lengths(exponential_period{1s, 100, 24h, 0}, 2047).back() == 24h);
}

TEST_CASE("jitter spreads a period around its length, the same way for the same seed",
          "[breaker][B12][B12e]") {
  const auto some = lengths(fixed_period{10s, 0.2}, 1000);
  CHECK(*std::min_element(some.begin(), some.end()) >= 8s);
  CHECK(*std::max_element(some.begin(), some.end()) <= 12s + 1us);
  CHECK(*std::min_element(some.begin(), some.end()) < 8100ms);
  CHECK(*std::max_element(some.begin(), some.end()) > 11900ms);
  duration sum{};
  for (const auto one : some) sum += one;
  CHECK(std::abs((sum / 1000 - 10s).count()) < duration{100ms}.count());
  CHECK(lengths(fixed_period{10s, 0.2}, 1000) == some);
  CHECK(lengths(fixed_period{10s, 0.2}, 1000, 8) != some);
}

TEST_CASE("each decorrelated period lies between the first and three times the one before",
          "[breaker][B12][B12c]") {
  const auto some = lengths(decorrelated_period{1s, 60s}, 1000);
  auto before = duration{1s};
  bool at_cap = false;
  for (const auto one : some) {
    REQUIRE(one >= 1s);
    REQUIRE(one <= std::min<duration>(60s, 3 * before + 1us));
    at_cap = at_cap || one == 60s;
    before = one;
  }
  CHECK(at_cap);
}

TEST_CASE("the k-th adaptive period ends when its least has passed and k + 4 calls were refused",
          "[breaker][B12][B12d]") {
  recovery_bench bench{{.open_for = adaptive_period{100ms, 30s, 0}}};
  const auto refuse = [&] {
    const auto refused = bench.circuit.try_acquire();
    REQUIRE_FALSE(refused);
    return refused.rejection();
  };
  for (std::uint32_t period = 1; period <= 5; ++period) {
    bench.report(outcome::failure);
    CHECK(bench.seen().open_period == period);
    SECTION("calls refused, and the least not over: period " + std::to_string(period)) {
      for (std::uint32_t i = 0; i < period + 4; ++i) CHECK(refuse().retry_after == 100ms);
      bench.clock.advance(100ms - 1ns);
      CHECK(refuse() == rejection{rejection_reason::circuit_open, 1ns});
      bench.clock.advance(1ns);
      CHECK(bench.seen().retry_after == 0s);
    }
    SECTION("the least over, and calls not yet refused: period " + std::to_string(period)) {
      bench.clock.advance(100ms);
      for (std::uint32_t i = 0; i < period + 4; ++i) CHECK(refuse().retry_after == 100ms);
      CHECK(bench.seen().retry_after == 0s);
    }
    SECTION("the most over: period " + std::to_string(period)) {
      bench.clock.advance(30s - 10ms);
      CHECK(bench.seen().retry_after == 10ms);
      bench.clock.advance(10ms);
    }
    bench.clock.advance(100ms);
    for (std::uint32_t i = 0; i < period + 4 && bench.seen().retry_after > 0s; ++i)
      static_cast<void>(refuse());
  }
  bench.report(outcome::success);
}

TEST_CASE("a clock that jumps a year ahead ends an adaptive period and gives up the calls of a ramp",
          "[breaker][B5][B5d][B9][B12]") {
  recovery_bench bench{{.open_for = adaptive_period{100ms, 30s, 0},
                        .successes = 1,
                        .ramp = {.first = 2, .successes = 3},
                        .lease = 3s}};
  bench.report(outcome::failure);
  REQUIRE(bench.seen().state == circuit_state::open);
  bench.clock.advance(24h * 365);
  CHECK(bench.seen().retry_after == 0s);
  bench.report(outcome::success);  // the only probe
  auto one = bench.acquire();
  auto two = bench.acquire();
  REQUIRE_FALSE(bench.circuit.try_acquire());
  bench.clock.advance(24h * 365);
  auto probe = bench.acquire();
  CHECK(one.complete(outcome::success) == disposition::late);
  CHECK(two.complete(outcome::failure) == disposition::late);
  CHECK(bench.seen().state == circuit_state::half_open);
  CHECK(probe.complete(outcome::success) == disposition::counted);
}

TEST_CASE("the numbering of periods begins again once the circuit was closed for long enough",
          "[breaker][B12][B12f]") {
  recovery_bench bench{{.open_for = exponential_period{1s, 2, 64s, 0},
                        .successes = 1,
                        .ramp = brownout::no_ramp,
                        .relapse_within = 10s}};
  bench.fail_when_possible();
  bench.fail_when_possible();
  bench.clock.advance(2s);
  bench.report(outcome::success);
  REQUIRE(bench.seen().state == circuit_state::closed);
  SECTION("too soon: the same outage") {
    bench.clock.advance(10s - 1us);
    bench.report(outcome::failure);
    CHECK(bench.seen().open_period == 3);
    CHECK(bench.seen().retry_after == 4s);
  }
  SECTION("long enough: another outage") {
    bench.clock.advance(10s);
    bench.report(outcome::failure);
    CHECK(bench.seen().open_period == 1);
    CHECK(bench.seen().retry_after == 1s);
  }
  SECTION("an operator has reset it: another outage") {
    bench.circuit.reset();
    bench.report(outcome::failure);
    CHECK(bench.seen().open_period == 1);
  }
}

TEST_CASE("a failed call's Retry-After lengthens the period that it begins", "[breaker][B12][B12g]") {
  recovery_bench bench{{.open_for = 5s}};
  const auto after = [&](duration retry_after) {
    bench.fail_when_possible(retry_after);
    return bench.seen().retry_after;
  };
  CHECK(after(0s) == 5s);
  CHECK(after(4s) == 5s);
  CHECK(after(7s) == 7s);
  CHECK(after(7s + 1ns) == 7100ms);  // in steps of 100 ms, up
  CHECK(after(5min) == 5min);
  CHECK(after(24h) == 5min);  // no server can shut the circuit for a day
  CHECK(after(-1s) == 5s);
  CHECK(after(duration::max()) == 5min);
  CHECK(after(duration::min()) == 5s);
  CHECK(after(0s) == 5s);  // said once, heeded once
}

TEST_CASE("an adaptive period that a Retry-After has lengthened ends when it says", "[breaker][B12][B12n]") {
  manual_clock clock;
  tested_breaker circuit{consecutive_failures{1}, {.open_for = adaptive_period{}}, clock};
  CHECK(circuit.try_acquire()->complete(outcome::failure, 30s) == disposition::counted);
  // A caller that comes when it is told to, and no other caller.
  const auto refused = circuit.try_acquire().rejection();
  CHECK(refused.retry_after == 30s);
  clock.advance(refused.retry_after);
  CHECK(circuit.try_acquire());
}

TEST_CASE("a Retry-After of a call that opens nothing changes nothing", "[breaker][B12][B12h]") {
  manual_clock clock;
  tested_breaker circuit{consecutive_failures{2}, {.open_for = 5s}, clock};
  CHECK(circuit.try_acquire()->complete(outcome::failure, 1min) == disposition::counted);
  CHECK(circuit.try_acquire()->complete(outcome::failure) == disposition::counted);
  CHECK(circuit.snapshot().retry_after == 5s);
}

TEST_CASE("rules of recovery outside their range are refused", "[breaker][B12][options]") {
  CHECK(refusal({.open_for = fixed_period{1us}}) == "breaker_options.open_for = 1us: allowed is 1ms to 24h");
  CHECK(refusal({.open_for = fixed_period{1s, 0.6}}) ==
        "breaker_options.open_for.jitter = 0.6: allowed is 0 to 0.5");
  CHECK(refusal({.open_for = exponential_period{.factor = 0.5}}) ==
        "breaker_options.open_for.factor = 0.5: allowed is 1 to 100");
  CHECK(refusal({.open_for = exponential_period{.first = 2s, .most = 1s}}) ==
        "breaker_options.open_for.most = 1s: allowed is 2s to 24h");
  CHECK(refusal({.open_for = decorrelated_period{.first = 25h}}) ==
        "breaker_options.open_for.first = 25h: allowed is 1ms to 24h");
  CHECK(refusal({.open_for = adaptive_period{.least = 1s, .most = 999ms}}) ==
        "breaker_options.open_for.most = 999ms: allowed is 1s to 24h");
  CHECK(refusal({.successes = 256}) == "breaker_options.successes = 256: allowed is 1 to 255");
  CHECK(refusal({.probe_rate = {.calls = 32}}) ==
        "breaker_options.probe_rate.calls = 32: allowed is 1 to 31");
  CHECK(refusal({.probe_rate = {.failure_threshold = 0}}) ==
        "breaker_options.probe_rate.failure_threshold = 0: allowed is above 0, up to 1");
  CHECK(refusal({.probe_rate = {.calls = 31, .slow_threshold = 1.5}}) ==
        "breaker_options.probe_rate.slow_threshold = 1.5: allowed is above 0, up to 1");
  CHECK(refusal({.probe_rate = {.calls = 31, .failure_threshold = 1, .slow_threshold = 1}}) == "");
  CHECK(refusal({.ramp = {.first = 255}}) == "breaker_options.ramp.first = 255: allowed is 0 to 254");
  CHECK(refusal({.ramp = {.successes = 16}}) == "breaker_options.ramp.successes = 16: allowed is 1 to 15");
  CHECK(refusal({.ramp = {.successes = 0}}) == "breaker_options.ramp.successes = 0: allowed is 1 to 15");
  CHECK(refusal({.relapse_within = -1s}) == "breaker_options.relapse_within = -1s: allowed is 0s to 24h");
  CHECK(refusal({.successes = 255, .ramp = {254, 15}, .relapse_within = 24h}) == "");
}

TEST_CASE("a Retry-After lengthens how long an adaptive period lasts at least, and not what it lasts at most",
          "[breaker][B12]") {
  recovery_bench bench{{.open_for = adaptive_period{100ms, 30s, 0.2}, .seed = 7}};
  for (int i = 0; i < 10; ++i) bench.fail_when_possible(i < 9 ? duration{} : duration{5min});
  CHECK(bench.seen().retry_after == 5min);
  bench.clock.advance(5min);
  CHECK(bench.seen().retry_after == 0s);  // though nobody has been refused
}

TEST_CASE("an adaptive period that has begun is not stretched by a shorter one", "[breaker][B12][B13]") {
  recovery_bench bench{{.open_for = adaptive_period{10s, 1min, 0}}};
  bench.report(outcome::failure);
  bench.circuit.reconfigure({.open_for = adaptive_period{1ms, 30s, 0}});
  bench.clock.advance(30s);
  CHECK(bench.seen().retry_after == 0s);
}

TEST_CASE("a hold for a time is followed by another outage", "[breaker][B1][B12][B12i]") {
  recovery_bench bench{
      {.open_for = exponential_period{1s, 2, 1h, 0}, .successes = 1, .ramp = brownout::no_ramp}};
  for (int i = 0; i < 5; ++i) bench.fail_when_possible();
  CHECK(bench.seen().open_period == 5);
  SECTION("held open") {
    bench.circuit.force_open_for(1s);
  }
  SECTION("held open out of a closed circuit") {
    bench.clock.advance(1h);
    bench.report(outcome::success);
    bench.circuit.force_open_for(1s);
  }
  SECTION("let pass") {
    bench.circuit.disable_for(1s);
  }
  bench.clock.advance(1s);
  bench.report(outcome::failure);
  CHECK(bench.seen().state == circuit_state::open);
  CHECK(bench.seen().open_period == 1);
  CHECK(bench.seen().retry_after == 1s);
}

TEST_CASE("an outage is not taken for one of 4096 epochs before", "[breaker][B2][B12]") {
  for (const std::uint64_t later : {4094U, 4095U, 4096U, 4097U, 8192U}) {
    recovery_bench bench{{.open_for = exponential_period{1s, 2, 1h, 0}}};
    for (int i = 0; i < 5; ++i) bench.fail_when_possible();
    const auto opened = bench.seen().epoch;
    while (bench.seen().epoch + 1 < opened + later) bench.circuit.reset();
    bench.report(outcome::failure, 7s);
    REQUIRE(bench.seen().epoch == opened + later);
    CHECK(bench.seen().open_period == 1);
    CHECK(bench.seen().retry_after == 7s);
  }
}

TEST_CASE("options as they are in force can be given back", "[breaker][B13][options]") {
  recovery_bench bench{{.open_for = fixed_period{24h, 0.5}}};
  bench.circuit.reconfigure(bench.circuit.options());
  CHECK(bench.circuit.options().lease == 24h);
}

TEST_CASE("options with a probe rate can be given back and mean the same", "[breaker][B13][options]") {
  recovery_bench bench{{.successes = 3, .probe_rate = {.calls = 10, .failure_threshold = 0.4}}};
  auto options = bench.circuit.options();
  CHECK(options.probe_rate.calls == 10);
  CHECK(options.probe_rate.failure_threshold == 0.4);
  CHECK(bench.circuit.snapshot().probes_needed == 10);
  bench.circuit.reconfigure(options);
  CHECK(bench.circuit.options().probe_rate.calls == 10);
  options.probe_rate = {};
  bench.circuit.reconfigure(options);
  CHECK(bench.circuit.options().successes == 3);  // the default: the rate had no use for any
}

TEST_CASE("a period beyond what time can hold is refused and not cut", "[breaker][B12][options]") {
  CHECK_FALSE(refusal({.open_for = std::chrono::hours{5'124'095'576'030'432}}).empty());
  CHECK_FALSE(refusal({.open_for = -std::chrono::hours{5'124'095'576'030'432}}).empty());
}

TEST_CASE("a breaker that was copied by a fork draws other periods in each process", "[breaker][B12e]") {
  // As after a fork: the same address, the same birth, the same epoch. Only the moment of the opening
  // differs.
  std::optional<tested_breaker> circuit;
  const auto wait_if_opened_after = [&](duration passed) {
    manual_clock clock;
    circuit.emplace(consecutive_failures{1}, breaker_options{.open_for = brownout::fixed_period{10s, 0.5}},
                    clock);
    clock.advance(passed);
    circuit->try_acquire()->complete(outcome::failure);
    return circuit->snapshot().retry_after;
  };
  CHECK(wait_if_opened_after(1s) != wait_if_opened_after(1s + 1us));
}
