// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/invalid_option.hpp"
#include "brownout/health/component_evidence.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

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

/// The health of one dependency, 0 to 100, or nothing when it is unknown: no evidence is never good news.
///
/// Open: 0. Half-open: the share of the needed probes that have succeeded, so that admitting a probe, or
/// failing it, never lifts the score. Otherwise 100 x the share of successes among the recent calls, less the
/// latency penalty.
[[nodiscard]] constexpr std::optional<double> component_score(const component_evidence& evidence,
                                                              const latency_budget& latency) noexcept {
  if (refuses_calls(evidence.state)) return 0.0;
  if (evidence.state == circuit_state::half_open) {
    if (evidence.probes_needed == 0) return 0.0;
    const auto share = static_cast<double>(evidence.probes_succeeded) / evidence.probes_needed;
    return 100 * std::min(share, 1.0);
  }
  if (evidence.calls == 0) return std::nullopt;
  const auto share = static_cast<double>(evidence.successes) / evidence.calls;
  return std::max(0.0, 100 * share - latency.penalty(evidence.mean_latency));
}

}  // namespace brownout
