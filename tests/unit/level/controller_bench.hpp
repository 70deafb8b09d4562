// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "unit/enum_texts.hpp"
#include "unit/level/levels.hpp"

#include "brownout/level/level_controller.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace level_test {

using namespace std::chrono_literals;
using brownout::duration;
using brownout::level_cause;
using brownout::time_point;
using policy = brownout::level_policy<level>;
using pin = brownout::level_override<level>;
using transition = brownout::level_transition<level>;

/// Where a change led; nothing when there was none.
inline std::optional<level> to(const std::optional<transition>& change) {
  return change ? std::optional{change->to} : std::nullopt;
}

/// A controller and the time it is given. By default the staging system's: hysteresis 2, dwell 10 s. Worse is
/// immediate.
struct bench {
  // Not inlined: GCC 12 warns about the content of an optional that it can see was never filled.
  [[gnu::noinline]] explicit bench(policy given = {.ladder = ladder,
                                                   .hysteresis = 2,
                                                   .dwell = 10s,
                                                   .confirm_for = 0s,
                                                   .dwell_limit = 8,
                                                   .relapse_within = 6})
      : controller{std::move(given)} {}

  std::optional<transition> score(std::optional<double> seen) { return controller.update(seen, now); }
  std::optional<transition> score_after(duration wait, std::optional<double> seen) {
    now += wait;
    return score(seen);
  }
  // Not inlined for the same reason.
  [[gnu::noinline]] std::optional<transition> set(pin override, std::optional<double> seen) {
    return controller.set_override(std::move(override), seen, now);
  }
  [[gnu::noinline]] std::optional<transition> clear(std::optional<double> seen) {
    return controller.clear_override(seen, now);
  }
  [[nodiscard]] level shown() const { return controller.level(); }

  time_point now{1h};
  brownout::level_controller<level> controller;
};

}  // namespace level_test
