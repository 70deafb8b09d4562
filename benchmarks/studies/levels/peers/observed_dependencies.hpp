// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/supervised.hpp"
#include "studies/levels/world.hpp"

#include "brownout/health/scorer.hpp"
#include "brownout/system/detail/system_rules.hpp"
#include "brownout/system/detail/watched_component.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace studies::levels {

/// What policies see that differ from ours in how the level follows the score, and in nothing else. The
/// breakers, the schedule of the probes, the windows of calls and the score are the library's own.
template <class Detector>
class observed_dependencies {
 public:
  using permit = typename simulated_dependencies<Detector>::permit;

  observed_dependencies(const system_options<Detector>& given, const world& what_happens, std::uint64_t seed)
      : dependencies_{given, what_happens, seed}, scorer_{scorer_of(given)} {
    for (const auto which : all_dependencies) {
      const auto number = index(which);
      auto& one = dependencies_.at(which);
      const auto rules = brownout::detail::watching_of(given.system, scorer_.options(), one.described());
      watched_[number] = std::make_unique<watched>(number, one, rules, seed + number, dependencies_.now());
    }
  }

  /// Appends the dependencies that are to be probed now. Returns when the next probe is due.
  nanoseconds step(nanoseconds now, std::vector<dependency>& to_probe) {
    dependencies_.set(now);
    auto next = (brownout::time_point::max)();
    for (const auto which : all_dependencies) {
      auto& one = *watched_[index(which)];
      if (const auto order = one.step(dependencies_.now())) {
        tickets_[index(which)] = order->ticket;
        to_probe.push_back(which);
      }
      next = std::min(next, one.next_step());
    }
    return dependencies_.passed_until(next);
  }
  [[nodiscard]] bool any_probe_runs() const {
    return std::any_of(tickets_.begin(), tickets_.end(), [](const auto& one) { return one.has_value(); });
  }
  void answer(dependency which, nanoseconds now, bool failed) {
    dependencies_.set(now);
    const auto ticket = *std::exchange(tickets_[index(which)], std::nullopt);
    watched_[index(which)]->report(ticket, {dependencies_.result_of(failed), ""}, dependencies_.now());
  }

  std::optional<permit> admit(dependency which, nanoseconds now) { return dependencies_.admit(which, now); }
  void report(permit ended, nanoseconds now, bool failed) {
    dependencies_.report(std::move(ended), now, failed);
  }

  [[nodiscard]] brownout::dependency_set refusing() const {
    brownout::dependency_set some;
    for (const auto which : all_dependencies) {
      const auto circuit = dependencies_.at(which).status();
      if (circuit.retry_after > brownout::duration::zero()) some.insert(index(which));
    }
    return some;
  }
  /// Empty while nothing is known.
  [[nodiscard]] std::optional<double> score() {
    std::array<brownout::component_evidence, dependency_count> evidence;
    for (std::size_t i = 0; i < dependency_count; ++i) {
      const auto circuit = watched_[i]->observe(dependencies_.now());
      evidence[i] = watched_[i]->evidence(circuit, dependencies_.now());
    }
    return scorer_.score(evidence).score;
  }

 private:
  using watched = brownout::detail::watched_component;

  static brownout::scorer scorer_of(const system_options<Detector>& given) {
    const std::vector<brownout::dependency_options> described(given.dependencies.begin(),
                                                              given.dependencies.end());
    return brownout::scorer{brownout::detail::roles_of(described),
                            brownout::detail::scoring_of(given.system, described)};
  }

  simulated_dependencies<Detector> dependencies_;
  brownout::scorer scorer_;
  std::array<std::unique_ptr<watched>, dependency_count> watched_;
  std::array<std::optional<std::uint64_t>, dependency_count> tickets_{};  // of the probes that run
};

}  // namespace studies::levels
