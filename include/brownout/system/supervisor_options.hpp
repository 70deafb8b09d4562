// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/level/level_policy.hpp"
#include "brownout/recovery/retry_after_policy.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/detail/watched_dependency.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Options of a supervisor. The constructor of the supervisor validates them.
template <degradation_level Level>
struct supervisor_options {
  std::vector<dependency_options>
      dependencies;            ///< 1 to 32 dependencies; the number of a dependency is its place here
  level_policy<Level> levels;  ///< how the level follows the score

  /// How evidence becomes a score. Leave `optional_floor` at 0: `ready_until` sets it.
  scorer_options health{};

  /// The worst level at which the instance still wants requests. Optional dependencies alone never cause a
  /// worse level. Default: every level except the worst one.
  std::optional<Level> ready_until{};

  /// The time over which features return after the level got better: 0 to 1 h, and at most the dwell, so that
  /// all are back before the next step up. Default 0: at once. Use a dwell if the load of all features
  /// together can bring the system down again.
  duration return_over{};

  retry_after_policy retry_after{};  ///< what refused callers are told

  /// The interval of probes while the circuit is closed: 1 ms to 24 h. Default 10 s.
  duration probe_interval = std::chrono::seconds{10};

  /// The interval of probes after a failed probe while the circuit is closed: 1 ms to `probe_interval`.
  /// Default (left out): a fifth of `probe_interval`. Without calls, ten failures in a row then take less
  /// than three intervals instead of ten.
  duration suspect_interval{};

  /// How soon the level follows real calls between probes: 1 ms to 1 min. Default 100 ms.
  duration refresh = std::chrono::milliseconds{100};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    levels.validate();
    detail::require_within<std::size_t>("supervisor_options.dependencies.size()", dependencies.size(), 1,
                                        dependency_set::most);
    for (const auto& one : dependencies) {
      const auto has_its_name = [&](const auto& other) { return other.name == one.name; };
      if (one.name.empty() || std::count_if(dependencies.begin(), dependencies.end(), has_its_name) > 1) {
        detail::invalid_option("dependency_options.name", "'" + one.name + "'",
                               "a name that no other dependency has");
      }
      if (one.name.size() > breaker_options::longest_name) {
        detail::invalid_option("length of dependency_options.name", std::to_string(one.name.size()),
                               "1 to " + std::to_string(breaker_options::longest_name) + " bytes");
      }
      detail::require_within("dependency_options.timeout of " + one.name, one.timeout, 1ms, 1h);
      detail::require_within("dependency_options.weight of " + one.name, one.weight, 0.0,
                             scorer::most_weight);
      detail::validate_for("dependency " + one.name, [&] {
        one.detector.validate();
        one.breaker.validate();
        one.recovery.validate();
      });
    }
    detail::require_within("supervisor_options.probe_interval", probe_interval, 1ms, 24h);
    if (suspect_interval != duration{}) {
      detail::require_within("supervisor_options.suspect_interval", suspect_interval, 1ms, probe_interval);
    }
    detail::require_within("supervisor_options.refresh", refresh, 1ms, 1min);
    detail::require_within("supervisor_options.return_over", return_over, duration{},
                           (std::min<duration>)(levels.dwell, 1h));
    if (ready_until && !levels.ladder.holds(*ready_until)) {
      detail::invalid_option("supervisor_options.ready_until",
                             std::to_string(static_cast<std::size_t>(*ready_until)), "a level of the ladder");
    }
    retry_after.validate();
    health.validate();
    detail::require_within<std::uint32_t>("evidence_options.minimum_calls of a supervisor",
                                          health.component.evidence.minimum_calls, 1,
                                          detail::watched_dependency<monotonic_clock>::window);
    if (health.optional_floor > 0) {
      detail::invalid_option("supervisor_options.health.optional_floor",
                             detail::to_text(health.optional_floor), "0: `ready_until` sets it");
    }
    validate_evidence();
  }

  /// `suspect_interval`, or its default.
  [[nodiscard]] duration probe_again_after() const noexcept {
    using namespace std::chrono_literals;
    return suspect_interval != duration{} ? suspect_interval : (std::max<duration>)(probe_interval / 5, 1ms);
  }

  /// The worst level at which the instance wants requests.
  [[nodiscard]] Level last_ready() const noexcept {
    const auto& ladder = levels.ladder;
    if (ready_until) return *ready_until;
    return ladder.size() == 1 ? ladder.best() : ladder.better(ladder.worst());
  }

  /// `health` with its defaults filled in, and the role of each dependency.
  [[nodiscard]] scorer_options scoring() const {
    auto complete = health;
    auto& evidence = complete.component.evidence;
    if (evidence.stale_after == duration{})
      evidence.stale_after = (std::max)(evidence.stale_limit(), 3 * probe_cycle());
    const auto last = last_ready();
    if (last != levels.ladder.worst()) complete.optional_floor = levels.needed_for(last);
    return complete;
  }
  [[nodiscard]] std::vector<component_role> roles() const {
    std::vector<component_role> all;
    for (const auto& one : dependencies) {
      component_role role{.weight = one.weight, .criticality = one.criticality};
      for (const auto& name : one.depends_on) {
        const auto found = std::find_if(dependencies.begin(), dependencies.end(),
                                        [&](const auto& other) { return other.name == name; });
        if (found == dependencies.end()) {
          detail::invalid_option("dependency_options.depends_on of " + one.name, "'" + name + "'",
                                 "the name of another dependency");
        }
        if (found->criticality == criticality::optional && one.criticality != criticality::optional) {
          detail::invalid_option("dependency_options.depends_on of " + one.name,
                                 "'" + name + "', which is optional",
                                 "a standard or required dependency, because this one needs it");
        }
        role.depends_on.push_back(static_cast<std::size_t>(found - dependencies.begin()));
      }
      all.push_back(std::move(role));
    }
    return all;
  }

 private:
  /// The longest time from the start of a probe to the answer of the next one; 0 without probes.
  [[nodiscard]] duration probe_cycle() const noexcept {
    duration longest{};
    for (const auto& one : dependencies) {
      if (one.probe) longest = (std::max)(longest, probe_interval + one.timeout);
    }
    return longest;
  }
  void validate_evidence() const {
    const auto limit = health.component.evidence.stale_after;
    if (limit == duration{} || limit > probe_cycle()) return;
    detail::invalid_option(
        "evidence_options.stale_after", detail::to_text(limit),
        "longer than a probe's interval and time-out together, " + detail::to_text(probe_cycle()));
  }
};

namespace detail {

/// Returns the options after checking them, also against the matrix: it may name only dependencies and levels
/// that exist.
template <degradation_level Level, class Matrix>
[[nodiscard]] supervisor_options<Level> validated(supervisor_options<Level> options, const Matrix& matrix) {
  options.validate();
  for (std::size_t i = 0; i < Matrix::size; ++i) {
    const auto& rule = matrix.rule(static_cast<typename Matrix::feature_type>(i));
    const auto known = (std::uint64_t{1} << options.dependencies.size()) - 1;
    if ((rule.needs.bits() & ~known) != 0) {
      const auto unknown = std::countr_zero(rule.needs.bits() & ~known);
      invalid_option("feature_rule.needs of feature " + std::to_string(i),
                     "dependency " + std::to_string(unknown),
                     "0 to " + std::to_string(options.dependencies.size() - 1));
    }
    if (!options.levels.ladder.holds(rule.last)) {
      invalid_option("feature_rule.last of feature " + std::to_string(i), std::string{to_string(rule.last)},
                     "a level of the ladder");
    }
  }
  return options;
}

}  // namespace detail
}  // namespace brownout::inline BROWNOUT_ABI
