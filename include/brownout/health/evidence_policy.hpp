// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"

#include <chrono>
#include <cstdint>

namespace brownout {

/// How much evidence it takes before a score says something.
struct evidence_policy {
  /// Calls whose last one is older than this say nothing any more: the dependency is unknown. 1 ms to a week.
  /// Left out: a minute, or for a supervisor three of its probe intervals, time-outs included, where they are
  /// longer. Shorter than an interval, and a healthy dependency would be unknown between its probes.
  duration stale_after{};

  /// A share of successes is taken of at least as many calls, 1 to 1000: with fewer, those that are missing
  /// count as successes, once one call has succeeded. Default 5: one failure then never costs more than a
  /// fifth of a component's score, as if it had been one of five. 1: the plain share. Of a
  /// supervisor at most 20, which is all that it remembers.
  std::uint32_t minimum_calls = 5;

  /// Points that a component must lose before it loses any, 0 to 100. Default 0: the level's hysteresis
  /// already keeps small losses from moving anything. Worth raising where any call of a busy dependency may
  /// fail for reasons of its own: at 6, one failure among the 20 calls that a supervisor judges by costs
  /// nothing.
  double minimum_effect = 0;

  /// `stale_after`, or what it is when left out.
  [[nodiscard]] constexpr duration stale_limit() const noexcept {
    return stale_after == duration{} ? std::chrono::minutes{1} : stale_after;
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    detail::require_within("evidence_policy.stale_after", stale_limit(), 1ms, 168h);
    detail::require_within<std::uint32_t>("evidence_policy.minimum_calls", minimum_calls, 1, 1000);
    detail::require_within("evidence_policy.minimum_effect", minimum_effect, 0.0, 100.0);
  }
};

}  // namespace brownout
