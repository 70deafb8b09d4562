// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"

#include <algorithm>
#include <chrono>

namespace brownout {

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

}  // namespace brownout
