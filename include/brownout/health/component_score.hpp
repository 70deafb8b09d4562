// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/scorer_options.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// The score by the recent calls, 0 to 100. Empty without calls, and when they are too old.
[[nodiscard]] constexpr std::optional<double> score_of_calls(const component_evidence& evidence,
                                                             const component_options& policy) noexcept {
  if (evidence.calls == 0 || evidence.age > policy.evidence.stale_limit()) return std::nullopt;
  // No call has succeeded yet: that is no evidence of health, even with few calls.
  if (evidence.successes == 0) return 0.0;
  const auto failures = evidence.calls - (std::min)(evidence.successes, evidence.calls);
  const auto counted = (std::max)(evidence.calls, policy.evidence.minimum_calls);
  const auto share = static_cast<double>(counted - failures) / counted;
  return 100 * share - policy.latency.penalty(evidence.mean_latency);
}

/// Whether a value is a measurement: not negative, infinite or NaN.
[[nodiscard]] constexpr bool is_measured(const std::optional<double>& value) noexcept {
  return value && *value >= 0 && *value <= (std::numeric_limits<double>::max)();
}

/// The score by the service's own measurement. Empty when it holds no measurement.
[[nodiscard]] constexpr std::optional<double> score_of_measurement(const measurement& measured,
                                                                   const component_options& policy) noexcept {
  const bool share = is_measured(measured.success_share);
  const bool latency = measured.latency && *measured.latency >= duration::zero();
  const bool saturation = is_measured(measured.saturation);
  if (!share && !latency && !saturation) return std::nullopt;
  double score = 100;
  if (share) score *= (std::min)(*measured.success_share, 1.0);
  if (latency) score -= policy.latency.penalty(*measured.latency);
  if (saturation) score -= policy.saturation.penalty(*measured.saturation);
  return score;
}

/// The score by the calls that a full limit refused. Empty if it refused none: that says nothing about the
/// calls that it admitted.
[[nodiscard]] constexpr std::optional<double> score_of_refusals(const component_evidence& evidence) noexcept {
  if (!(evidence.refused > 0)) return std::nullopt;
  return 100 * (1 - (std::min)(evidence.refused, 1.0));
}

}  // namespace detail

/// The health of one dependency, 0 to 100. Empty means unknown: there is no evidence, or it is too old.
///
/// - Open: 0.
/// - Half-open: 100 x the share of the needed probes that have succeeded. A probe that is admitted or fails
///   does not raise it.
/// - Otherwise 100 x the share of successes, less the penalties for latency and saturation. Recent calls, the
///   service's own measurement and refusals (100 x the share of calls that were not refused) are scored
///   apart, and the lowest score counts. So a slow dependency that fills its limit is not charged twice.
[[nodiscard]] constexpr std::optional<double> component_score(const component_evidence& evidence,
                                                              const component_options& policy = {}) noexcept {
  if (refuses_calls(evidence.state)) return 0.0;
  if (evidence.state == circuit_state::half_open) {
    if (evidence.probes_needed == 0) return 0.0;
    const auto share = static_cast<double>(evidence.probes_succeeded) / evidence.probes_needed;
    return 100 * (std::min)(share, 1.0);
  }
  const auto calls = detail::score_of_calls(evidence, policy);
  const auto measured = detail::score_of_measurement(evidence.measured, policy);
  const auto refused = detail::score_of_refusals(evidence);
  if (!calls && !measured && !refused) return std::nullopt;
  const double score = (std::min)({calls.value_or(100), measured.value_or(100), refused.value_or(100)});
  if (100 - score < policy.evidence.minimum_effect) return 100.0;
  return (std::max)(0.0, score);
}

}  // namespace brownout::inline BROWNOUT_ABI
