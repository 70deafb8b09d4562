// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/peers/observed_dependencies.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace studies::levels {

/// The level is the score's, set anew by each health check: all dependencies every 10 s. It has neither
/// hysteresis nor dwell. This is the rule of the retail system that the study's shop comes from.
template <class Detector>
class each_check {
 public:
  using permit = typename observed_dependencies<Detector>::permit;

  each_check(system_options<Detector> given, const world& what_happens, std::uint64_t seed)
      : seen_{checked_every(interval, std::move(given)), what_happens, seed} {}

  nanoseconds step(nanoseconds now, std::vector<dependency>& to_probe) {
    const auto next_probe = seen_.step(now, to_probe);
    if (now >= next_check_) {
      checking_ = true;
      next_check_ = now + interval;
    }
    if (checking_ && !seen_.any_probe_runs()) {
      checking_ = false;
      if (const auto score = seen_.score()) offered_.at = ladder.at(*score);
    }
    offered_.refusing = seen_.refusing();
    return std::min(next_probe, now + look_every);
  }
  void answer(dependency which, nanoseconds now, bool failed) { seen_.answer(which, now, failed); }
  std::optional<permit> admit(dependency which, nanoseconds now) { return seen_.admit(which, now); }
  void report(permit ended, dependency /*which*/, nanoseconds now, bool failed) {
    seen_.report(std::move(ended), now, failed);
  }
  [[nodiscard]] offer offered() const { return offered_; }

 private:
  static constexpr nanoseconds interval = std::chrono::seconds{10};

  /// All at once, and a failed probe is not repeated sooner.
  static system_options<Detector> checked_every(nanoseconds time, system_options<Detector> given) {
    given.system.probe_interval = time;
    given.system.suspect_interval = time;
    given.system.probe_jitter = 0;
    return given;
  }

  observed_dependencies<Detector> seen_;
  offer offered_{};
  bool checking_ = false;
  nanoseconds next_check_{};
};
static_assert(governor<each_check<brownout::standard_detector>>);

}  // namespace studies::levels
