// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/detector/any_of.hpp"
#include "brownout/detector/count_window.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"
#include "brownout/detector/time_window.hpp"

#include <algorithm>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::any_of;
using brownout::failure_rate;
using brownout::slow_call_rate;

namespace {

// Detectors that trip when the latest two calls were bad.
struct of_failures {
  static auto make() { return failure_rate<>{.threshold = 1, .minimum_calls = 2, .window = {2}}; }
};
struct of_slow_calls {
  static auto make() {
    return slow_call_rate<>{.threshold = 1, .slower_than = 1s, .minimum_calls = 2, .window = {2}};
  }
};
struct of_failures_among_others {
  static auto make() { return any_of{consecutive_failures{100}, of_failures::make()}; }
};
struct of_both {
  static auto make() { return any_of{of_slow_calls::make(), of_failures::make()}; }
};

}  // namespace

TEMPLATE_TEST_CASE("a window that was bad enough opens the circuit, whatever others report meanwhile",
                   "[breaker][detector][B8][B8e]", of_failures, of_slow_calls, of_failures_among_others,
                   of_both) {
  using detector = decltype(TestType::make());
  using breaker = brownout::circuit_breaker<detector, manual_clock, interrupted_atomics>;
  for (int access = 0;; ++access) {
    manual_clock clock;
    breaker circuit{TestType::make(), bench::plain({.open_for = 5s}), clock};
    std::vector<brownout::transition_event> heard;
    const auto listening = circuit.subscribe([&](const auto& event) { heard.push_back(event); });
    const auto begin = [&] { return *circuit.try_acquire(); };
    static_cast<void>([&] {
      auto call = begin();
      clock.advance(2s);
      return call.complete(outcome::failure);
    }());
    auto bad = begin();
    auto also_bad = begin();
    clock.advance(2s);
    auto good = begin();
    interruption::action = [&] {
      static_cast<void>(good.complete(outcome::success));
      static_cast<void>(also_bad.complete(outcome::failure));
    };
    interruption::accesses_left = access;
    static_cast<void>(bad.complete(outcome::failure));
    interruption::accesses_left = -1;
    if (std::exchange(interruption::action, nullptr)) break;
    INFO("interrupted before access " << access);
    // In whatever order: at last two bad ones follow each other.
    CHECK(circuit.observed_state() == circuit_state::open);
    // And the listener is told what the verdict went by.
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].calls == 2);
    CHECK((std::max)(heard[0].failures, heard[0].slow_calls) == 2);
  }
}
