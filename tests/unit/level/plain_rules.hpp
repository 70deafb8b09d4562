// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "unit/level/levels.hpp"

#include "brownout/level/level_controller.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace level_test {

/// The rules in their plainest form, to compare a controller with.
struct plain_rules {
  brownout::level_policy<level> followed;
  level at = followed.ladder.worst();
  bool started = false;
  bool blind = false;
  std::optional<brownout::time_point> below_since{};    // the score is below the level
  std::optional<brownout::time_point> allowed_since{};  // the next better level
  std::optional<brownout::time_point> improved{};
  brownout::time_point calm{};
  std::uint32_t relapses{};
  brownout::duration held{};  // by the last step up

  [[nodiscard]] brownout::duration dwell(std::uint32_t after) const {
    return brownout::duration{static_cast<brownout::duration::rep>(
        static_cast<double>(followed.dwell.count()) *
        std::min(std::pow(followed.dwell_growth, after), followed.dwell_limit))};
  }
  [[nodiscard]] brownout::duration window() const {
    return brownout::duration{static_cast<brownout::duration::rep>(
        static_cast<double>(dwell(relapses).count()) * followed.relapse_within)};
  }
  [[nodiscard]] bool may_climb(std::optional<double> score, double at_most) const {
    if (at == followed.ladder.best()) return false;
    const auto better = followed.ladder.better(at);
    if (!score && (!followed.panic_floor || better < *followed.panic_floor)) return false;
    double needed = 100;  // no more than any level needs that is better still
    for (std::size_t i = 0; i <= static_cast<std::size_t>(better); ++i) {
      const auto one = static_cast<level>(i);
      needed = std::min(needed,
                        followed.ladder.enter(one).value_or(followed.ladder.from(one) + followed.hysteresis));
    }
    return score.value_or(at_most) >= needed;
  }

  std::optional<brownout::level_cause> follow(std::optional<double> score, brownout::time_point now,
                                              double at_most = 100) {
    const auto calm_until = below_since.value_or(now);  // a fall that is being confirmed is no calm
    for (; relapses > 0 && calm_until >= calm + window(); --relapses) calm += window();
    if (!started) {
      started = true;
      if (score || followed.panic_floor) at = score ? followed.ladder.at(*score) : *followed.panic_floor;
      if (!score) at = std::max(at, followed.ladder.at(at_most));
      return brownout::level_cause::first_assessment;
    }
    if (blind != !score) allowed_since.reset();
    blind = !score;
    if (score.value_or(at_most) < followed.ladder.from(at)) {
      allowed_since.reset();
      if (!below_since) below_since = now;
      if (now < *below_since + followed.confirm_for) return std::nullopt;
      if (improved && *below_since <= *improved + window() && dwell(relapses) < dwell(relapses + 1))
        ++relapses;
      below_since.reset();
      improved.reset();
      calm = now;
      at = followed.ladder.at(score.value_or(at_most));
      return brownout::level_cause::health_fell;
    }
    below_since.reset();
    if (!may_climb(score, at_most))
      allowed_since.reset();
    else if (!allowed_since)
      allowed_since = now;
    if (!allowed_since || now < *allowed_since + dwell(relapses)) return std::nullopt;
    at = followed.ladder.better(at);
    held = now - *allowed_since;
    improved = now;
    allowed_since.reset();
    if (may_climb(score, at_most)) allowed_since = now;
    return score ? brownout::level_cause::health_recovered : brownout::level_cause::evidence_lost;
  }
};

}  // namespace level_test
