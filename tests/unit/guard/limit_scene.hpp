// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace limit_test {

using namespace std::chrono_literals;
using brownout::adaptive_limit_options;
using brownout::call_priority;
using brownout::duration;
using brownout::limit_change;
using brownout::limit_change_cause;
using brownout::manual_clock;
using brownout::outcome;
using brownout::rejection_reason;

/// An adaptive limit and its clock. Its functions make whole windows of calls.
template <class Atomics = brownout::std_atomics>
struct scene {
  using limit_type = brownout::adaptive_limit<manual_clock, Atomics>;
  using permit = typename limit_type::permit;

  explicit scene(const adaptive_limit_options& options = {.target_delay = 5ms}) : limit{options, clock} {}

  [[nodiscard]] std::uint32_t value() const { return limit.snapshot().limit; }

  /// Permits until one is refused.
  [[nodiscard]] std::vector<permit> fill(call_priority priority = call_priority::critical_plus) {
    std::vector<permit> all;
    while (auto admitted = limit.try_acquire(priority)) all.push_back(*std::move(admitted));
    return all;
  }
  [[nodiscard]] std::vector<permit> take(int calls, call_priority priority = call_priority::critical_plus) {
    std::vector<permit> all;
    for (int i = 0; i < calls; ++i) all.push_back(*limit.try_acquire(priority));
    return all;
  }

  /// Calls one after the other that each waited so long for a worker.
  void start(int calls, duration delay) {
    for (int i = 0; i < calls; ++i) {
      auto place = limit.try_acquire(call_priority::critical_plus);
      clock.advance(delay);
      place->started();
    }
  }
  /// Calls one after the other that each took so long.
  void complete(int calls, duration latency, outcome result = outcome::success) {
    for (int i = 0; i < calls; ++i) {
      auto place = limit.try_acquire(call_priority::critical_plus);
      clock.advance(latency);
      place->complete(result);
    }
  }
  /// Goes on until the window is long enough, and begins one more call, which ends it.
  void end_window(duration delay = 0ms) {
    clock.advance(100ms);
    start(1, delay);
  }

  /// A window in which every call waited too long.
  void too_slow() {
    start(9, 6ms);
    end_window(6ms);
  }
  /// A window in which no call waited, and a call was refused.
  void in_demand() {
    static_cast<void>(fill());
    start(9, 0ms);
    end_window();
  }

  manual_clock clock;
  limit_type limit;
};

}  // namespace limit_test
