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
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI {

/// When the level follows the score. The level gets worse soon and better slowly, because a feature that is
/// offered and fails costs more than one that comes back a little late.
template <degradation_level Level>
struct level_policy {
  level_ladder<Level> ladder;  ///< the levels, and the score that each one needs

  /// Points above a better level's threshold that the score needs to reach that level again: 0 to 50.
  /// Default 3: the share of 60 calls, of which 5 % fail, differs by 2.8 points from one window to the next
  /// (standard deviation).
  double hysteresis = 3;

  /// How long the score must stay there: 0 to 24 h. Each step up needs a dwell of its own. Default 1 s: of 0,
  /// 1, 3, 10 and 30 s it had the lowest sum of seconds in a wrong level and flaps (docs/studies/levels.md).
  duration dwell = std::chrono::seconds{1};

  /// How long the score must stay below the current level before the level gets worse: 0 to 24 h. 0: at once.
  /// Default 1 s: one failed probe is repeated meanwhile, and a short fall of the score by chance is over
  /// (docs/studies/levels.md). A circuit that opens switches off the features that need it at once, whatever
  /// the level.
  duration confirm_for = std::chrono::seconds{1};

  /// Factor by which each relapse multiplies the dwell: 1 to 10. Default 2. 1 switches the growth off.
  double dwell_growth = 2;

  /// The longest grown dwell, in multiples of `dwell`: 1 to 1000. Default 16.
  double dwell_limit = 16;

  /// A fall within this many (grown) dwells after an improvement is a relapse: 1 to 1000. One relapse is
  /// forgotten after as long without a fall. Default 12: a dependency whose probes succeed while its calls
  /// fail brings the level down again within seconds, and the level must not follow it each time.
  double relapse_within = 12;

  /// The level that is climbed to while the score is unknown, one step each dwell. Default: the best level.
  ///
  /// A level that keeps features off also keeps off the calls that would show how the dependencies are. Every
  /// circuit still guards its own dependency. Empty: the level stays while the score is unknown. That suits a
  /// system in which every dependency has a probe.
  std::optional<Level> panic_floor = Level{};

  /// The level in force before the first assessment, while no one knows how the dependencies are. Default
  /// (empty): the worst level, and nothing is offered until then. With another level, features are offered
  /// from the start as this level allows, each circuit still guards its dependency, and the instance is not
  /// ready before the first assessment.
  std::optional<Level> until_assessed{};

  // GCC 12 ends with an internal error at a class that has a supervisor as a member, with these options in
  // its default initializer, unless it has needed this constructor before.
  static_assert(std::is_constructible_v<std::optional<Level>, Level>);

  /// Default false. True: the level is decided and recorded, but requests see the best level unless an
  /// operator sets another one. Circuits still refuse calls. Use it to watch a policy before it is trusted.
  bool dry_run = false;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    if (panic_floor && !ladder.holds(*panic_floor)) {
      detail::invalid_option("level_policy.panic_floor",
                             std::to_string(static_cast<std::size_t>(*panic_floor)), "a level of the ladder");
    }
    if (until_assessed && !ladder.holds(*until_assessed)) {
      detail::invalid_option("level_policy.until_assessed",
                             std::to_string(static_cast<std::size_t>(*until_assessed)),
                             "a level of the ladder");
    }
    detail::require_within("level_policy.hysteresis", hysteresis, 0.0, 50.0);
    detail::require_within("level_policy.dwell", dwell, duration{}, std::chrono::hours{24});
    detail::require_within("level_policy.confirm_for", confirm_for, duration{}, std::chrono::hours{24});
    detail::require_within("level_policy.dwell_growth", dwell_growth, 1.0, 10.0);
    detail::require_within("level_policy.dwell_limit", dwell_limit, 1.0, 1000.0);
    detail::require_within("level_policy.relapse_within", relapse_within, 1.0, 1000.0);
  }

  /// The score that must be held to reach `better` from a worse level: the rung's `enter`, or its threshold
  /// plus `hysteresis`, at most 100. It is never more than a still better level needs.
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

  /// How long after an improvement a fall is a relapse.
  [[nodiscard]] duration relapse_window(std::uint32_t relapses) const noexcept {
    return scaled(dwell_after(relapses), relapse_within);
  }

 private:
  static duration scaled(duration base, double factor) noexcept {
    constexpr double longest = 0x1p62;  // 146 years: with every option at its limit the product would not fit
    return duration{
        static_cast<duration::rep>((std::min)(static_cast<double>(base.count()) * factor, longest))};
  }
};

/// From a ladder.
template <degradation_level Level>
level_policy(level_ladder<Level>) -> level_policy<Level>;

}  // namespace brownout::inline BROWNOUT_ABI
