// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "catch2.hpp"
#include "unit/enum_texts.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

namespace breaker_test {

using namespace std::chrono_literals;
using brownout::breaker_options;
using brownout::circuit_state;
using brownout::consecutive_failures;
using brownout::disposition;
using brownout::duration;
using brownout::manual_clock;
using brownout::outcome;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::time_point;

using tested_breaker = brownout::circuit_breaker<consecutive_failures, manual_clock>;

/// A breaker on a manual clock, quick to drive: by default it opens after 3 failures, for 5 s, with 2 probes
/// that are lost after 2 s.
struct bench {
  static breaker_options defaults() { return {.name = "bench", .open_for = 5s, .probes = 2, .lease = 2s}; }

  /// Closes after as many successes as it has probes, without a ramp, unless told otherwise.
  static breaker_options plain(breaker_options options) {
    if (options.successes == 0) options.successes = options.probes;
    options.ramp = brownout::no_ramp;
    return options;
  }

  explicit bench(breaker_options options = defaults(), std::uint32_t trips_after = 3, time_point start = {})
      : threshold{trips_after},
        clock{start},
        circuit{consecutive_failures{trips_after}, plain(std::move(options)), clock} {}

  disposition report(outcome result) {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    return admitted->complete(result);
  }
  void fail(std::uint32_t times = 1) {
    for (std::uint32_t i = 0; i < times; ++i) CHECK(report(outcome::failure) == disposition::counted);
  }
  void succeed(std::uint32_t times = 1) {
    for (std::uint32_t i = 0; i < times; ++i) CHECK(report(outcome::success) == disposition::counted);
  }

  tested_breaker::permit acquire() {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    return *std::move(admitted);
  }

  /// Opens the closed circuit.
  void trip() {
    fail(threshold);
    REQUIRE(circuit.observed_state() == circuit_state::open);
  }
  /// Opens the closed circuit, waits and takes the first probe.
  tested_breaker::permit first_probe() {
    trip();
    clock.advance(circuit.snapshot().retry_after);
    auto probe = acquire();
    REQUIRE(circuit.observed_state() == circuit_state::half_open);
    return probe;
  }

  /// Brings the circuit from closed to `state`; a half-open one has one probe given back, so none in flight.
  void drive_to(circuit_state state) {
    switch (state) {
      case circuit_state::closed:
        break;
      case circuit_state::open:
        trip();
        break;
      case circuit_state::half_open:
        static_cast<void>(first_probe());
        break;
      case circuit_state::forced_open:
        circuit.force_open();
        break;
      case circuit_state::disabled:
        circuit.disable();
        break;
      case circuit_state::metrics_only:
        circuit.measure_only();
        break;
    }
    REQUIRE(circuit.observed_state() == state);
  }

  [[nodiscard]] circuit_state state() const { return circuit.observed_state(); }
  [[nodiscard]] std::uint64_t epoch() const { return circuit.snapshot().epoch; }

  std::uint32_t threshold;
  manual_clock clock;
  tested_breaker circuit;
};

inline constexpr circuit_state all_states[] = {circuit_state::closed,   circuit_state::half_open,
                                               circuit_state::open,     circuit_state::forced_open,
                                               circuit_state::disabled, circuit_state::metrics_only};

}  // namespace breaker_test
