// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/peers/observed_dependencies.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace studies::levels {

/// The level is the score's, set anew by every health check: all dependencies every 10 s. Neither hysteresis
/// nor dwell.
class each_check {
 public:
  using permit = observed_dependencies::permit;

  each_check(const system_options& given, const world& what_happens, std::uint64_t seed)
      : seen_{given, what_happens, seed} {}

  nanoseconds step(nanoseconds now, std::vector<dependency>& to_probe) {
    if (checking_ && !seen_.any_probe_runs()) {
      checking_ = false;
      if (const auto score = seen_.score()) offered_.at = ladder.at(*score);
    }
    if (now >= next_check_) {
      seen_.probe_if_due(now, to_probe);
      checking_ = true;
      next_check_ = now + probe_interval;
    }
    offered_.refusing = seen_.refusing();
    return now + look_every;
  }
  void answer(dependency which, nanoseconds now, bool failed) { seen_.answer(which, now, failed); }
  std::optional<permit> admit(dependency which, nanoseconds now) { return seen_.admit(which, now); }
  void report(permit ended, dependency which, nanoseconds now, bool failed) {
    seen_.report(std::move(ended), which, now, failed);
  }
  [[nodiscard]] offer offered() const { return offered_; }

 private:
  observed_dependencies seen_;
  offer offered_{};
  bool checking_ = false;
  nanoseconds next_check_{};
};
static_assert(governor<each_check>);

}  // namespace studies::levels
