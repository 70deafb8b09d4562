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

/// How slow a dependency may be before it loses points.
struct latency_budget {
  /// Mean latency that costs nothing: 0 to 1 h. Default 500 ms: the promise of the retail system that this
  /// library comes from.
  duration budget = std::chrono::milliseconds{500};

  /// Latency above the budget that costs one point: 1 us to 1 h. Default 10 ms: half a second above the
  /// budget costs 50 points.
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

/// How full a limited resource may be before the dependency loses points.
struct saturation_budget {
  /// Share in use that costs nothing: 0 to 0.99. Default 0.8: the time in a queue grows as 1 / (1 - share),
  /// so it is 5 service times at 0.8 and 10 at 0.9.
  double budget = 0.8;

  /// Points lost when the resource is full: 0 to 100, growing in a line from the budget on. Default 30: a
  /// full resource alone costs one level of the usual ladder.
  double when_full = 30;

  /// Points lost at `share`, which is 0 or more. A share above 1 counts as 1.
  [[nodiscard]] constexpr double penalty(double share) const noexcept {
    if (!(share > budget)) return 0;
    return when_full * ((std::min)(share, 1.0) - budget) / (1 - budget);
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_within("saturation_budget.budget", budget, 0.0, 0.99);
    detail::require_within("saturation_budget.when_full", when_full, 0.0, 100.0);
  }
};

/// How much evidence a score needs.
struct evidence_options {
  /// The age of the last call from which on the dependency is unknown: 1 ms to 168 h. Default (left out): 1
  /// min, or in a supervisor three probe intervals with their time-outs if that is longer. With less than an
  /// interval, a healthy dependency would be unknown between two probes.
  duration stale_after{};

  /// How many of the latest calls a supervisor judges a dependency by, if it had so many: 1 to 1000. Default
  /// 60: at 10 % errors, fewer than 80 % of 20 calls succeed in one window of 23, of 60 calls in one of 176.
  std::uint32_t window = 60;

  /// Calls that a share of successes is taken of, at least: 1 to 1000, in a supervisor up to `window`. With
  /// fewer calls, the missing ones count as successes once one call has succeeded. Default 5: one failure
  /// never costs more than a fifth of the score. 1 means the plain share.
  std::uint32_t minimum_calls = 5;

  /// Losses smaller than this many points cost nothing: 0 to 100. Default 0: the hysteresis of the level
  /// already absorbs small losses. Example: at 2, one failure among the 60 calls of a supervisor costs
  /// nothing.
  double minimum_effect = 0;

  /// `stale_after`, or its default.
  [[nodiscard]] constexpr duration stale_limit() const noexcept {
    return stale_after == duration{} ? std::chrono::minutes{1} : stale_after;
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    detail::require_within("evidence_options.stale_after", stale_limit(), 1ms, 168h);
    detail::require_within<std::uint32_t>("evidence_options.window", window, 1, 1000);
    detail::require_within<std::uint32_t>("evidence_options.minimum_calls", minimum_calls, 1, 1000);
    detail::require_within("evidence_options.minimum_effect", minimum_effect, 0.0, 100.0);
  }
};

/// How the evidence of one dependency becomes a score.
struct component_options {
  latency_budget latency{};        ///< how the latency of calls lowers the score
  saturation_budget saturation{};  ///< how the saturation that the service measures lowers the score
  evidence_options evidence{};     ///< how many calls are evidence

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    latency.validate();
    saturation.validate();
    evidence.validate();
  }
};

/// How the scores of several dependencies become one score.
enum class weighting : std::uint8_t {
  /// The sum of weight x score. Many small losses add up.
  mean,

  /// The least of 100 - (weight / greatest weight) x (100 - score): the worst dependency decides, as far as
  /// its weight allows. At scores of 0 and 100 this is the weighted minimum of Dubois and Prade ("Weighted
  /// minimum and maximum operations in fuzzy set theory", Information Sciences 39, 1986). Between them it is
  /// linear.
  minimum,
};

/// How evidence becomes the score of the system.
struct scorer_options {
  component_options component{};  ///< how one dependency is scored

  /// How the scores of dependencies become one. Default: the weighted mean.
  weighting combine = weighting::mean;

  /// The score that an unknown dependency counts as: 0 to 100. Default (empty): it is left out, and the
  /// others share its weight. With a value there is always a score, and `minimum_known` has no effect. 0
  /// treats an unknown dependency as down.
  std::optional<double> unknown_as{};

  /// The share of the weight that must be known for a score: 0 to 1. Default 0.5, like the panic threshold of
  /// Envoy: when most dependencies become unknown at once, the monitoring is more likely to be broken than
  /// all of them.
  double minimum_known = 0.5;

  /// The lowest score that optional dependencies alone can cause: 0 to 100. Default 0. A supervisor sets it
  /// from `ready_until`, so that they never make the system unready.
  double optional_floor = 0;

  /// The share of its score that a component loses while a component that it depends on scores 0: 0 to 1.
  /// Default 0.5: its own calls were well so far, and the next ones are likely to fail.
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
