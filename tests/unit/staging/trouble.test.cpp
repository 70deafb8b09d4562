// SPDX-License-Identifier: BSL-1.0
#include "service/trouble.hpp"
#include "catch2.hpp"

#include <chrono>

using namespace staging;
using namespace std::chrono_literals;

TEST_CASE("a dependency is slow or failing by what costs it more, and neither once its circuit is open",
          "[staging][service]") {
  const latency_settings latency{.budget = 500ms, .per_point = 10ms};
  brownout::component_snapshot seen;
  seen.circuit.state = brownout::circuit_state::closed;
  const auto judged = [&](std::uint32_t successes, brownout::duration mean) {
    seen.recent = {.calls = 20, .successes = successes, .mean_latency = mean, .last = {}};
    return trouble_of(seen, latency);
  };
  CHECK(trouble_of(seen, latency) == trouble::none);  // no calls yet
  CHECK(judged(20, 500ms) == trouble::none);
  CHECK(judged(20, 510ms) == trouble::slow);
  CHECK(judged(19, 10ms) == trouble::failing);
  CHECK(judged(0, 0ms) == trouble::failing);
  // Two calls in twenty have failed, and the others took nine times as long as they may.
  CHECK(judged(18, 4500ms) == trouble::slow);
  CHECK(judged(18, 600ms) == trouble::failing);
  seen.circuit.state = brownout::circuit_state::open;
  CHECK(judged(18, 4500ms) == trouble::none);
}
