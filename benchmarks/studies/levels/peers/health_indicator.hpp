// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/world.hpp"
#include "studies/peers/resilience4j.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace studies::levels {

/// resilience4j's breakers, each with a health indicator: a critical one open and the system is down, any
/// other one open and it is degraded. Critical is openai: with the database too it does worse. Probed through
/// the breakers every 2 s, as often as ours.
class health_indicator {
 public:
  struct permit {
    resilience4j::permit inner;
  };

  explicit health_indicator(const world& what_happens) : probed_{what_happens.probed} {}

  nanoseconds step(nanoseconds now, std::vector<dependency>& to_probe) {
    if (now < next_probes_) return next_probes_;
    next_probes_ = now + probe_interval;
    for (const auto which : all_dependencies) {
      auto& probe = probes_[index(which)];
      if (!probed_[index(which)] || probe) continue;
      probe = admit(which, now);
      if (probe) to_probe.push_back(which);
    }
    return next_probes_;
  }
  void answer(dependency which, nanoseconds now, bool failed) {
    report(*std::exchange(probes_[index(which)], std::nullopt), which, now, failed);
  }
  std::optional<permit> admit(dependency which, nanoseconds now) {
    if (auto admitted = breakers_[index(which)].admit(now)) return permit{*admitted};
    return std::nullopt;
  }
  void report(permit ended, dependency which, nanoseconds now, bool failed) {
    breakers_[index(which)].report(ended.inner, now, failed);
  }
  [[nodiscard]] offer offered() const {
    offer now{};
    for (const auto which : all_dependencies) {
      if (!breakers_[index(which)].is_open()) continue;
      now.refusing.insert(index(which));
      now.at = std::max(now.at, critical(which) ? level::emergency : level::degraded);
    }
    return now;
  }

 private:
  static constexpr nanoseconds probe_interval = std::chrono::seconds{2};
  static constexpr bool critical(dependency which) { return which == dependency::openai; }

  std::array<bool, dependency_count> probed_;
  std::array<resilience4j, dependency_count> breakers_;
  std::array<std::optional<permit>, dependency_count> probes_{};
  nanoseconds next_probes_{};
};
static_assert(governor<health_indicator>);

}  // namespace studies::levels
