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

/// Load shedding as userver's congestion control does it (`overload_on` and `overload_off` of
/// core/src/congestion_control/config.hpp), applied to levels: one threshold to enter a worse level, a higher
/// one to leave it, and each must hold for a fixed time.
class enter_exit {
 public:
  using permit = observed_dependencies<brownout::standard_detector>::permit;

  /// What congestion control counts is load, so its figures do not fit a score. These have the lowest C on
  /// the seeds and worlds for tuning, in whole seconds, because congestion control counts whole seconds.
  struct figures {
    double exit_above = 5;  ///< points above the threshold
    nanoseconds enter_after = std::chrono::seconds{1};
    nanoseconds exit_after = std::chrono::seconds{12};
  };

  enter_exit(figures given, const system_options<>& system, const world& what_happens, std::uint64_t seed)
      : figures_{given}, seen_{system, what_happens, seed} {}

  nanoseconds step(nanoseconds now, std::vector<dependency>& to_probe) {
    const auto next_probe = seen_.step(now, to_probe);
    if (const auto score = seen_.score()) follow(*score, now);
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
  void follow(double score, nanoseconds now) {
    // At once as far as the score carries, either way.
    const auto worse = ladder.at(score);
    const auto better = ladder.at(score - figures_.exit_above);
    const auto next = worse > offered_.at ? worse : std::min(better, offered_.at);
    if (next == offered_.at) {
      wanted_.reset();
      return;
    }
    const bool falls = next > offered_.at;
    if (!wanted_ || wanted_->falls != falls) wanted_ = {falls, now};
    if (now - wanted_->since < (falls ? figures_.enter_after : figures_.exit_after)) return;
    offered_.at = next;
    wanted_.reset();
  }

  struct wish {
    bool falls;
    nanoseconds since;
  };

  figures figures_;
  observed_dependencies<brownout::standard_detector> seen_;
  offer offered_{};
  std::optional<wish> wanted_;
};
static_assert(governor<enter_exit>);

}  // namespace studies::levels
