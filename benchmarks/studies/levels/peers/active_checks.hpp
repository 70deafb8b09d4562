// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/world.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace studies::levels {

/// Checks as balancers and orchestrators make them: a dependency is down after `fall` failed checks in a row,
/// and up again after `rise` good ones. Real calls do not count and are always made. A feature is off while a
/// dependency that it needs is down. The level is that of the weights of those that are up.
class active_checks {
 public:
  struct permit {};

  struct figures {
    nanoseconds interval;
    nanoseconds timeout;
    int fall;
    int rise;
  };
  /// The defaults of HAProxy: `inter`, which is the time-out too, `fall` and `rise` (Configuration Manual
  /// 3.0, section 5.2).
  static constexpr figures balancer{std::chrono::seconds{2}, std::chrono::seconds{2}, 3, 2};
  /// The defaults of Kubernetes: `periodSeconds`, `timeoutSeconds`, `failureThreshold`, `successThreshold`
  /// ("Configure Liveness, Readiness and Startup Probes").
  static constexpr figures kubernetes{std::chrono::seconds{10}, std::chrono::seconds{1}, 3, 1};

  active_checks(const figures& given, const world& what_happens)
      : figures_{given}, probed_{what_happens.probed} {}

  nanoseconds step(nanoseconds now, std::vector<dependency>& to_probe) {
    if (now < next_checks_) return next_checks_;
    next_checks_ = now + figures_.interval;
    for (const auto which : all_dependencies) {
      auto& one = checked_[index(which)];
      if (!probed_[index(which)] || one.runs) continue;
      one.runs = true;
      one.began = now;
      to_probe.push_back(which);
    }
    return next_checks_;
  }
  void answer(dependency which, nanoseconds now, bool failed) {
    auto& one = checked_[index(which)];
    one.runs = false;
    const bool good = !failed && now - one.began < figures_.timeout;
    one.against = good == one.up ? 0 : one.against + 1;
    if (one.against < (one.up ? figures_.fall : figures_.rise)) return;
    one.up = good;
    one.against = 0;
  }
  std::optional<permit> admit(dependency /*which*/, nanoseconds /*now*/) { return permit{}; }
  void report(permit /*ended*/, dependency /*which*/, nanoseconds /*now*/, bool /*failed*/) {}
  [[nodiscard]] offer offered() const {
    offer now{};
    double score = 0;
    for (std::size_t i = 0; i < dependency_count; ++i) {
      if (checked_[i].up) {
        score += 100 * weight[i];
      } else {
        now.refusing.insert(i);
      }
    }
    now.at = ladder.at(std::round(score * 1e6) / 1e6);  // a sum of weights must meet a threshold exactly
    return now;
  }

 private:
  struct check {
    bool up = true;
    bool runs = false;
    nanoseconds began{};
    int against = 0;  ///< checks in a row that say the other thing
  };

  figures figures_;
  std::array<bool, dependency_count> probed_;
  std::array<check, dependency_count> checked_{};
  nanoseconds next_checks_{};
};
static_assert(governor<active_checks>);

}  // namespace studies::levels
