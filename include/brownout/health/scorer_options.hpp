// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace brownout::inline BROWNOUT_ABI {

/// How slow a dependency may be before its score suffers.
struct latency_budget {
  /// Mean latency that costs nothing, 0 to 1 h. Default 500 ms: what the retail system that this library
  /// comes from promised for its API.
  duration budget = std::chrono::milliseconds{500};

  /// Latency above the budget that costs one point, 1 us to 1 h. Default 10 ms: half a second over is half
  /// the score.
  duration per_point = std::chrono::milliseconds{10};

  /// Points lost at `mean`, 0 or more.
  [[nodiscard]] constexpr double penalty(duration mean) const noexcept {
    if (mean <= budget) return 0;
    return static_cast<double>((mean - budget).count()) / static_cast<double>(per_point.count());
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    detail::require_within("latency_budget.budget", budget, duration{}, 1h);
    detail::require_within("latency_budget.per_point", per_point, 1us, 1h);
  }
};

/// How full a limited resource may be before the score suffers.
struct saturation_budget {
  /// Share in use that costs nothing, 0 to 0.99. Default 0.8: waiting times of a queue grow as 1 / (1 -
  /// share), five times the service time there, ten times at 0.9.
  double budget = 0.8;

  /// Points lost when it is full, linear from the budget on, 0 to 100. Default 30: full alone is one level of
  /// the usual ladder, not the end.
  double when_full = 30;

  /// Points lost at `share`, 0 or more; a share above 1 (more wanted than there is) loses no more than 1.
  [[nodiscard]] constexpr double penalty(double share) const noexcept {
    if (!(share > budget)) return 0;
    return when_full * (std::min(share, 1.0) - budget) / (1 - budget);
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_within("saturation_budget.budget", budget, 0.0, 0.99);
    detail::require_within("saturation_budget.when_full", when_full, 0.0, 100.0);
  }
};

/// How much evidence it takes before a score says something.
struct evidence_options {
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
    detail::require_within("evidence_options.stale_after", stale_limit(), 1ms, 168h);
    detail::require_within<std::uint32_t>("evidence_options.minimum_calls", minimum_calls, 1, 1000);
    detail::require_within("evidence_options.minimum_effect", minimum_effect, 0.0, 100.0);
  }
};

/// How one dependency's evidence becomes a score.
struct component_options {
  latency_budget latency{};
  saturation_budget saturation{};
  evidence_options evidence{};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    latency.validate();
    saturation.validate();
    evidence.validate();
  }
};

/// How the scores of several dependencies become one.
enum class weighting : std::uint8_t {
  /// The sum of weight x score: many small troubles add up, one small one hardly shows.
  mean,

  /// The worst of 100 - (weight / greatest weight) x (100 - score): the system is as well as its sickest
  /// part, as far as that part matters. At a score of 0 or 100 this is the weighted minimum of Dubois and
  /// Prade ("Weighted minimum and maximum operations in fuzzy set theory", Information Sciences 39, 1986), in
  /// between it is linear.
  minimum,
};

/// How evidence becomes the system's score.
struct scorer_options {
  component_options component{};

  weighting combine = weighting::mean;

  /// What an unknown dependency counts as, 0 to 100. Nothing, the default: it is left out, and the others
  /// share its weight. 0 is for those who would rather be told of an outage too much. Then there is always a
  /// score, and `minimum_known` says nothing.
  std::optional<double> unknown_as{};

  /// The share of the weight that must be known before there is a score, 0 to 1. Default 0.5: when most
  /// signals have vanished at once, what is left speaks for too little, and the detector is likelier broken
  /// than everything else (Envoy's panic threshold is 50 % as well).
  double minimum_known = 0.5;

  /// How far optional dependencies alone may take the score down, 0 to 100. Default 0: all the way. A
  /// supervisor sets it so that they never take the system's readiness away.
  double optional_floor = 0;

  /// How much of its score a component loses when something that it depends on scores 0, in [0, 1]. Default
  /// 0.5: what has been seen of it was well, and what will be seen is likely not to be.
  double cascade = 0.5;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    component.validate();
    if (unknown_as) detail::require_within("scorer_options.unknown_as", *unknown_as, 0.0, 100.0);
    detail::require_within("scorer_options.minimum_known", minimum_known, 0.0, 1.0);
    detail::require_within("scorer_options.optional_floor", optional_floor, 0.0, 100.0);
    detail::require_within("scorer_options.cascade", cascade, 0.0, 1.0);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
