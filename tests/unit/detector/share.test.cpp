// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/detector/detail/share.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"

#include <cstdint>

using namespace breaker_test;
using brownout::failure_rate;
using brownout::slow_call_rate;
using brownout::time_window;

namespace {

/// The first of `calls` failures, after as many successes as leave room for it, that opens the circuit; 0
/// when none does.
template <class Detector>
std::uint32_t failures_to_open(Detector detector, std::uint32_t successes, std::uint32_t failures,
                               duration took = {}) {
  manual_clock clock;
  brownout::circuit_breaker<Detector, manual_clock> circuit{detector, {.open_for = 5s}, clock};
  const auto report = [&](outcome result, duration lasting) {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    clock.advance(lasting);
    static_cast<void>(admitted->complete(result));
  };
  for (std::uint32_t i = 0; i < successes; ++i) report(outcome::success, 0s);
  for (std::uint32_t i = 1; i <= failures; ++i) {
    report(outcome::failure, took);
    if (circuit.observed_state() == circuit_state::open) return i;
  }
  return 0;
}

}  // namespace

TEST_CASE("a share opens the circuit at its exact count, however it is written", "[detector]") {
  const auto tenths = GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 10u);
  const auto n = static_cast<double>(tenths);
  const auto single = static_cast<float>(tenths);
  const float singles[] = {single / 10.0F, single * 0.1F, 10 * single * 0.01F};
  const auto written =
      GENERATE_COPY(n / 10, n * 0.1, 10 * n * 0.01, 1 - (10 - n) * 0.1, static_cast<double>(singles[0]),
                    static_cast<double>(singles[1]), static_cast<double>(singles[2]));
  CAPTURE(tenths, written);
  CHECK(failures_to_open(failure_rate<>{.threshold = written, .minimum_calls = 10, .window = {10}},
                         10 - tenths, tenths) == tenths);
  CHECK(failures_to_open(failure_rate<>{.threshold = written, .minimum_calls = 10, .window = {10}},
                         11 - tenths, tenths - 1) == 0);
  CHECK(failures_to_open(failure_rate<time_window>{.threshold = written, .minimum_calls = 10}, 10 - tenths,
                         tenths) == tenths);
  CHECK(failures_to_open(
            slow_call_rate<>{.threshold = written, .slower_than = 1s, .minimum_calls = 10, .window = {10}},
            10 - tenths, tenths, 2s) == tenths);
}

TEST_CASE("every share of up to a thousand calls is reached at its exact count", "[detector]") {
  using brownout::detail::reaches;
  for (std::uint32_t calls = 1; calls <= 1000; ++calls) {
    for (std::uint32_t bad = 1; bad <= calls; ++bad) {
      const double exact = static_cast<double>(bad) / calls;
      const float single = static_cast<float>(bad) / static_cast<float>(calls);
      const float product = static_cast<float>(bad) * (1.0F / static_cast<float>(calls));
      for (const double share :
           {exact, static_cast<double>(single), static_cast<double>(product), bad * (1.0 / calls)}) {
        if (!reaches(bad, calls, share) || reaches(bad - 1, calls, share)) FAIL(bad << " of " << calls);
      }
    }
  }
  CHECK(reaches(300'000, 1'000'000, static_cast<double>(0.3F)));
  CHECK_FALSE(reaches(299'999, 1'000'000, static_cast<double>(0.3F)));
  CHECK(reaches(1, 1'000'000'000, 1e-9));
}

TEST_CASE("a share that rounding left above 1 is 1", "[detector][options]") {
  const double written = 1 + 1e-7;
  CHECK(failures_to_open(failure_rate<>{.threshold = written, .minimum_calls = 10, .window = {10}}, 0, 10) ==
        10);
  CHECK_THROWS(failures_to_open(failure_rate<>{.threshold = 1 + 1e-6}, 0, 10));
}

TEST_CASE("no share of probes is so small that it is reached without a bad one", "[detector]") {
  const double tiny = GENERATE(1e-300, 1e-9, 1e-7, 2.5e-7);
  CAPTURE(tiny);
  manual_clock clock;
  brownout::circuit_breaker<brownout::consecutive_failures, manual_clock> circuit{
      {.threshold = 1},
      {.open_for = 5s,
       .probe_rate = {.calls = 2, .failure_threshold = tiny, .slow_threshold = tiny},
       .ramp = brownout::no_ramp},
      clock};
  REQUIRE(circuit.trip());
  clock.advance(5s);
  for (int probe = 0; probe < 2; ++probe) {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    static_cast<void>(admitted->complete(outcome::success));
  }
  CHECK(circuit.observed_state() == circuit_state::closed);
}
