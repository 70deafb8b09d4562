// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/supervised.hpp"
#include "studies/levels/world.hpp"

#include "brownout/core/outcome.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace studies::levels {

/// What policies see that differ from ours in how the level follows the score and in nothing else: the same
/// breakers, the same evidence, the same score, and a probe of each dependency every interval.
class observed_dependencies {
 public:
  using permit = brownout::dependency<brownout::manual_clock>::permit;

  observed_dependencies(const system_options& given, const world& what_happens, std::uint64_t seed)
      : probed_{what_happens.probed}, scorer_{given.roles(), given.scoring()} {
    for (std::size_t i = 0; i < dependency_count; ++i) {
      auto one = given.dependencies[i];
      one.breaker.seed = seed + i;
      all_[i] = std::make_unique<observed>(one, clock_);
    }
  }

  /// Appends those to be probed now; nobody is while the last probes are not all answered.
  void probe_if_due(nanoseconds now, std::vector<dependency>& to_probe) {
    set(now);
    if (now < next_probes_ || any_probe_runs()) return;
    next_probes_ = now + probe_interval;
    for (const auto which : all_dependencies) {
      if (!probed_[index(which)]) continue;
      if (auto admitted = all_[index(which)]->try_acquire()) {
        probes_[index(which)] = *std::move(admitted);
        to_probe.push_back(which);
      }
    }
  }
  [[nodiscard]] bool any_probe_runs() const {
    for (const auto& one : probes_) {
      if (one) return true;
    }
    return false;
  }

  void answer(dependency which, nanoseconds now, bool failed) {
    report(*std::exchange(probes_[index(which)], std::nullopt), which, now, failed);
  }
  std::optional<permit> admit(dependency which, nanoseconds now) {
    set(now);
    if (auto admitted = all_[index(which)]->try_acquire()) return *std::move(admitted);
    return std::nullopt;
  }
  void report(permit ended, dependency /*which*/, nanoseconds now, bool failed) {
    set(now);
    ended.complete(failed ? brownout::outcome::failure : brownout::outcome::success);
  }

  [[nodiscard]] brownout::dependency_set refusing() const {
    brownout::dependency_set some;
    for (std::size_t i = 0; i < dependency_count; ++i) {
      if (all_[i]->breaker().status().retry_after > brownout::duration::zero()) some.insert(i);
    }
    return some;
  }
  /// Nothing while nothing is known.
  [[nodiscard]] std::optional<double> score() const {
    std::array<brownout::component_evidence, dependency_count> evidence;
    for (std::size_t i = 0; i < dependency_count; ++i) {
      evidence[i] = all_[i]->evidence(all_[i]->breaker().status(), clock_.now());
    }
    return scorer_.score(evidence).score;
  }

 private:
  using observed = brownout::dependency<brownout::manual_clock>;

  void set(nanoseconds now) { clock_.set(brownout::time_point{now}); }

  brownout::manual_clock clock_;
  std::array<bool, dependency_count> probed_;
  brownout::scorer scorer_;
  std::array<std::unique_ptr<observed>, dependency_count> all_;
  std::array<std::optional<permit>, dependency_count> probes_;
  nanoseconds next_probes_{};
};

}  // namespace studies::levels
