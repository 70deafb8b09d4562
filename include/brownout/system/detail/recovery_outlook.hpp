// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/health/health_report.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/level/level_controller.hpp"
#include "brownout/recovery/recovery_estimate.hpp"
#include "brownout/recovery/recovery_predictor.hpp"
#include "brownout/system/detail/level_recovery.hpp"
#include "brownout/system/detail/watched_component.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What a caller waits for.
struct awaited_recovery {
  recovery_estimate predicted{};
  duration known = (duration::max)();  // when it is over at the latest, if what is known comes true
};

/// When circuits and levels are predicted to be better again. A view of the state of a system: made when it
/// is asked, under the supervisor's lock, and not kept.
template <degradation_level Level>
class recovery_outlook {
 public:
  using watched_components = std::vector<std::unique_ptr<watched_component>>;

  recovery_outlook(const watched_components& watched, const scorer& scored_by, const health_report& health,
                   const level_controller<Level>& controller, time_point now) noexcept
      : watched_{watched}, scorer_{&scored_by}, health_{&health}, controller_{&controller}, now_{now} {}

  /// When the level is predicted to be the best again. Empty at the best level, and while health does not
  /// decide.
  [[nodiscard]] std::optional<recovery_estimate> to_best() const {
    if (controller_->overridden()) return std::nullopt;
    return to(controller_->policy().ladder.best());
  }

  /// What a caller waits for who needs `level` or a better one, and these dependencies.
  [[nodiscard]] awaited_recovery awaited(Level level, dependency_set refusing) const {
    const bool awaits_level = controller_->level() > level;
    if (refusing.empty()) return awaits_level ? awaited_level(level) : awaited_recovery{};
    auto all = awaited_circuits(refusing);
    if (!awaits_level) return all;
    const auto above = awaited_level(level);
    all.predicted = recovery_estimate::later_of(all.predicted, above.predicted);
    all.known = (std::max)(all.known, above.known);
    return all;
  }

 private:
  [[nodiscard]] awaited_recovery awaited_circuits(dependency_set refusing) const {
    awaited_recovery all{.known = duration::zero()};
    std::vector<ongoing_outage> outages;
    bool predictable = true;
    duration least{};
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      if (!refusing.contains(i)) continue;
      const auto wait = watched_[i]->watched().status().retry_after;
      if (wait != rejection::unknown) least = (std::max)(least, wait);
      all.known = (std::max)(all.known, watched_[i]->refuses_for(now_));
      const auto outage = watched_[i]->outage(now_);
      if (outage) outages.push_back(*outage);
      predictable = predictable && outage;
    }
    all.predicted = recovery_of_all({outages.data(), outages.size()});
    if (!predictable) all.predicted.p50 = all.predicted.p90 = std::nullopt;
    // An operator's hold is no outage, but its end may be known too.
    all.predicted.not_before = (std::max)(all.predicted.not_before, least);
    return all;
  }

  [[nodiscard]] awaited_recovery awaited_level(Level level) const {
    const auto& policy = controller_->policy();
    const auto held = controller_->active_override();
    awaited_recovery all{.known = duration::zero()};
    if (controller_->health_level() > level && !policy.dry_run) {
      all = {.predicted = to(level).value_or(recovery_estimate{}), .known = known_climb(level)};
    }
    if (held && held->over(policy.ladder.best()) > level) {  // it lasts until its end
      const auto rest = held->expires - now_;
      all.predicted =
          recovery_estimate::later_of(all.predicted, {.not_before = rest, .p50 = rest, .p90 = rest});
      all.known = (std::max)(all.known, rest);
    }
    return all;
  }

  /// When health is predicted to reach `level`. Empty if it has.
  [[nodiscard]] std::optional<recovery_estimate> to(Level level) const {
    if (!controller_->assessed() || controller_->health_level() <= level) return std::nullopt;
    auto found = level_recovery(burdens(), slack(level), climb_to(level));
    if (!health_->score) found.p50 = found.p90 = std::nullopt;
    return found;
  }

  /// How long it takes to climb from the level of health to `level`, once the score allows it.
  [[nodiscard]] duration climb_to(Level level) const noexcept {
    const auto steps =
        static_cast<duration::rep>(controller_->health_level()) - static_cast<duration::rep>(level);
    if (steps <= 0) return duration::zero();
    const auto dwell = controller_->current_dwell();
    return controller_->outlook(now_).better_in.value_or(dwell) + (steps - 1) * dwell;
  }

  /// The same from the end of the open periods of the circuits that refuse calls, if these are why the level
  /// is worse; otherwise the longest duration.
  [[nodiscard]] duration known_climb(Level level) const {
    if (!health_->score || !is_by_outages(burdens(), slack(level))) return (duration::max)();
    duration open{};
    for (const auto& one : watched_) {
      if (refuses_calls(one->watched().status().state)) open = (std::max)(open, one->refuses_for(now_));
    }
    const auto climb = climb_to(level);
    return open > (duration::max)() - climb ? (duration::max)() : open + climb;
  }

  /// Points below 100 at which the level is reached.
  [[nodiscard]] double slack(Level level) const noexcept {
    return 100 - controller_->policy().needed_for(level);
  }

  /// What each dependency takes from the level, and its outage.
  [[nodiscard]] std::vector<level_burden> burdens() const {
    auto all = burdens_of(*health_, scorer_->roles());
    for (std::size_t i = 0; i < all.size(); ++i) all[i].outage = watched_[i]->outage(now_);
    return all;
  }

  const watched_components& watched_;
  const scorer* scorer_;
  const health_report* health_;
  const level_controller<Level>* controller_;
  time_point now_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
