// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "unit/breaker/bench.hpp"

#include <cstdint>
#include <thread>
#include <utility>

namespace breaker_test {

inline constexpr auto answer = [] { return 42; };

inline breaker_options one_probe_at_a_time(std::uint32_t successes = 1) {
  return {.name = "inventory", .open_for = 5s, .probes = 1, .successes = successes, .lease = 2s};
}

/// A circuit whose open period is over, so that the next call is a probe.
struct recovering : bench {
  explicit recovering(breaker_options options = one_probe_at_a_time()) : bench{std::move(options)} {
    trip();
    clock.advance(circuit.snapshot().retry_after);
  }

  /// A call within a call.
  int ask_twice() {
    return circuit.call([&] { return circuit.call(answer); });
  }
  [[nodiscard]] std::uint32_t places_taken() const { return circuit.snapshot().probes_in_flight; }
};

/// Runs on a thread of its own, and waits for its end.
template <class F>
void elsewhere(F function) {
  std::thread{function}.join();
}

}  // namespace breaker_test
