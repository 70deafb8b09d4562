// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/level/level_ladder.hpp"
#include "brownout/system/claim.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/system/detail/watched_component.hpp"
#include "brownout/system/supervisor_options.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The part of a dependency in the score, by the names that it depends on. Throws `std::invalid_argument`.
[[nodiscard]] inline std::vector<component_role> roles_of(
    const std::vector<dependency_options>& dependencies) {
  std::vector<component_role> all(dependencies.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& one = dependencies[i];
    auto& role = all[i];
    role.weight = one.weight;
    role.criticality = one.criticality;
    for (const auto& name : one.depends_on) {
      std::size_t found = 0;
      while (found < dependencies.size() && dependencies[found].name != name) ++found;
      if (found == dependencies.size()) {
        invalid_option("dependency_options.depends_on of " + one.name, "'" + name + "'",
                       "the name of another dependency");
      }
      if (dependencies[found].criticality == criticality::optional &&
          one.criticality != criticality::optional) {
        invalid_option("dependency_options.depends_on of " + one.name, "'" + name + "', which is optional",
                       "a standard or required dependency, because this one needs it");
      }
      role.depends_on.push_back(found);
    }
  }
  return all;
}

/// The longest time from the start of a probe to the answer of the next one; 0 without probes.
template <class Level>
[[nodiscard]] duration probe_cycle(const supervisor_options<Level>& options,
                                   const std::vector<dependency_options>& dependencies) noexcept {
  const auto interval = duration{static_cast<duration::rep>(
      static_cast<double>(options.probe_interval.count()) * (1 + options.probe_jitter))};
  duration longest{};
  for (const auto& one : dependencies) {
    if (one.probe) longest = (std::max)(longest, interval + one.timeout);
  }
  return longest;
}

/// How the supervisor scores, with defaults filled in. Throws `std::invalid_argument` if a healthy dependency
/// would be unknown between two probes.
template <class Level>
[[nodiscard]] scorer_options scoring_of(const supervisor_options<Level>& options,
                                        const std::vector<dependency_options>& dependencies) {
  auto complete = options.health;
  auto& evidence = complete.component.evidence;
  const auto cycle = probe_cycle(options, dependencies);
  if (evidence.stale_after == duration{}) {
    evidence.stale_after = (std::max)(evidence.stale_limit(), 3 * cycle);
  } else if (evidence.stale_after <= cycle) {
    invalid_option("evidence_options.stale_after", to_text(evidence.stale_after),
                   "longer than a probe's interval and time-out together, " + to_text(cycle));
  }
  const auto last = options.last_ready();
  if (last != options.levels.ladder.worst()) complete.optional_floor = options.levels.needed_for(last);
  return complete;
}

/// How one dependency is watched. Preconditions: the options are valid, and `scoring` is theirs.
template <class Level>
[[nodiscard]] watching_rules watching_of(const supervisor_options<Level>& options,
                                         const scorer_options& scoring,
                                         const dependency_options& one) noexcept {
  const auto& evidence = scoring.component.evidence;
  return {.interval = options.probe_interval,
          .suspect_interval = options.probe_again_after(),
          .jitter = options.probe_jitter,
          .timeout = one.timeout,
          .window = evidence.window,
          .stale_after = evidence.stale_limit(),
          .timed_one_in = one.timed_one_in};
}

/// Throws `std::invalid_argument` if the matrix names a level that the ladder does not hold.
template <class Level, class Matrix>
void validate_levels(const Matrix& matrix, const level_ladder<Level>& ladder) {
  using feature_type = typename Matrix::feature_type;
  for (std::size_t i = 0; i < Matrix::size; ++i) {
    const auto& rule = matrix.rule(static_cast<feature_type>(i));
    if (ladder.holds(rule.last)) continue;
    invalid_option("feature_rule.last of feature " + shown_enumerator<feature_type>(i),
                   std::string{to_string(rule.last)}, "a level of the ladder");
  }
}

/// Throws `std::invalid_argument` if the matrix names a dependency that is not among the first `known`.
/// `shown(number)`: the name of a dependency in messages.
template <class Matrix, class Shown>
void validate_needs(const Matrix& matrix, std::size_t known, const Shown& shown) {
  using feature_type = typename Matrix::feature_type;
  for (std::size_t i = 0; i < Matrix::size; ++i) {
    const auto needs = matrix.rule(static_cast<feature_type>(i)).needs.bits();
    const auto missing = needs & ~((std::uint64_t{1} << known) - 1);
    if (missing == 0) continue;
    refuse_claims("feature " + shown_enumerator<feature_type>(i) + " needs dependency " +
                  shown(static_cast<std::size_t>(std::countr_zero(missing))) + ", which is not claimed");
  }
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
