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

/// What the recent calls say, 0 to 100; nothing when there are none, or none recent enough.
[[nodiscard]] constexpr std::optional<double> score_of_calls(const component_evidence& evidence,
                                                             const component_options& policy) noexcept {
  if (evidence.calls == 0 || evidence.age > policy.evidence.stale_limit()) return std::nullopt;
  // Nothing has worked yet: that is no evidence of health, however few calls it was.
  if (evidence.successes == 0) return 0.0;
  const auto failures = evidence.calls - (std::min)(evidence.successes, evidence.calls);
  const auto counted = (std::max)(evidence.calls, policy.evidence.minimum_calls);
  const auto share = static_cast<double>(counted - failures) / counted;
  return 100 * share - policy.latency.penalty(evidence.mean_latency);
}

/// A number that was measured: neither negative nor infinite, and a number.
[[nodiscard]] constexpr bool is_measured(const std::optional<double>& value) noexcept {
  return value && *value >= 0 && *value <= (std::numeric_limits<double>::max)();
}

/// What the service's own measurement says; nothing when it says nothing.
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

}  // namespace detail

/// The health of one dependency, 0 to 100, or nothing when it is unknown: no evidence is never good news, and
/// evidence that is too old is none.
///
/// Open: 0. Half-open: the share of the needed probes that have succeeded, so that admitting a probe, or
/// failing it, never lifts the score. Otherwise what the recent calls or the service's own measurement say,
/// the worse of the two: 100 x the share of successes, less the penalties for latency and saturation.
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
  if (!calls && !measured) return std::nullopt;
  const double score = (std::min)(calls.value_or(100), measured.value_or(100));
  if (100 - score < policy.evidence.minimum_effect) return 100.0;
  return (std::max)(0.0, score);
}

}  // namespace brownout::inline BROWNOUT_ABI
