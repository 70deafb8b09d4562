// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/level/level_ladder.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// When the level follows the score. Worse at once, better slowly: promising too much costs more than
/// promising a little late.
template <degradation_level Level>
struct level_policy {
  level_ladder<Level> ladder;

  /// Points above a better level's threshold before it can be reached again, 0 to 50. Default 2.
  double hysteresis = 2;

  /// How long the score must stay there, 0 to 24 h. Each step up needs its own. Default 3 s: of 0, 3, 10 and
  /// 30 s it cost the least seconds in a wrong level and flaps together (docs/studies/levels.md); what
  /// keeps coming and going is held back by `dwell_growth`.
  duration dwell = std::chrono::seconds{3};

  /// Scores in a row below the current level before it is left, 1 to 1000. Default 1: at once. Each look
  /// counts, also at evidence that has not changed since the last one; a supervisor looks at every probe's
  /// answer and at least once each `refresh`.
  std::uint32_t confirmations = 1;

  /// Each relapse multiplies the dwell by this, 1 to 10. Default 2; 1 switches it off.
  double dwell_growth = 2;

  /// The dwell never exceeds this many times `dwell`, 1 to 1000. Default 8.
  double dwell_limit = 8;

  /// Getting worse within this many (grown) dwells of an improvement is a relapse; that long without one
  /// forgets one. 1 to 1000, default 6.
  double relapse_within = 6;

  /// While the score is unknown the level climbs to this, one step each dwell. Default: the best level. What
  /// cannot be asked must be tried: a level that keeps features off for want of evidence keeps away the calls
  /// that would be the evidence, and every circuit still guards its own dependency. Nothing: the level holds,
  /// however long the score is unknown; for systems in which every dependency has a probe.
  std::optional<Level> panic_floor = Level{};

  /// Decides and records, but takes nothing away: requests see the best level, unless an operator sets
  /// another. Circuits refuse all the same. To watch a policy before it is trusted.
  bool dry_run = false;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    if (panic_floor && !ladder.holds(*panic_floor)) {
      detail::invalid_option("level_policy.panic_floor",
                             std::to_string(static_cast<std::size_t>(*panic_floor)), "a level of the ladder");
    }
    detail::require_within("level_policy.hysteresis", hysteresis, 0.0, 50.0);
    detail::require_within("level_policy.dwell", dwell, duration{}, std::chrono::hours{24});
    detail::require_within<std::uint32_t>("level_policy.confirmations", confirmations, 1, 1000);
    detail::require_within("level_policy.dwell_growth", dwell_growth, 1.0, 10.0);
    detail::require_within("level_policy.dwell_limit", dwell_limit, 1.0, 1000.0);
    detail::require_within("level_policy.relapse_within", relapse_within, 1.0, 1000.0);
  }

  /// The score that must be held to reach `better` from below: the ladder's `enter`, or threshold +
  /// hysteresis, at most 100. Never more than a better level needs: the way up is one rung at a time, and a
  /// worse one must not bar it.
  [[nodiscard]] double needed_for(Level better) const noexcept {
    double needed = 100;
    for (auto level = ladder.best();; level = ladder.worse(level)) {
      needed = (std::min)(needed, ladder.enter(level).value_or(ladder.from(level) + hysteresis));
      if (level == better) return needed;
    }
  }

  /// The dwell after `relapses`.
  [[nodiscard]] duration dwell_after(std::uint32_t relapses) const noexcept {
    return scaled(dwell, (std::min)(std::pow(dwell_growth, relapses), dwell_limit));
  }

  /// How soon after an improvement getting worse is a relapse.
  [[nodiscard]] duration relapse_window(std::uint32_t relapses) const noexcept {
    return scaled(dwell_after(relapses), relapse_within);
  }

 private:
  static duration scaled(duration base, double factor) noexcept {
    constexpr double longest = 0x1p62;  // 146 years: with every option at its limit the product would not fit
    return duration{
        static_cast<duration::rep>(std::min(static_cast<double>(base.count()) * factor, longest))};
  }
};

template <degradation_level Level>
level_policy(level_ladder<Level>) -> level_policy<Level>;

}  // namespace brownout::inline BROWNOUT_ABI
