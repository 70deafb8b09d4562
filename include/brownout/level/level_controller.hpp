// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/level/level_ladder.hpp"
#include "brownout/level/level_override.hpp"
#include "brownout/level/level_policy.hpp"
#include "brownout/level/level_transition.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// Turns a score over time into a level. The level gets worse at once when the lower score is confirmed, and
/// better step by step.
///
/// Deterministic: time is an argument. Not thread-safe: the supervisor calls it under its lock.
template <degradation_level Level>
class level_controller {
 public:
  /// The type of a change of the level.
  using transition = level_transition<Level>;

  /// Throws `std::invalid_argument` naming field, value and range.
  explicit level_controller(level_policy<Level> policy)
      : policy_{std::move(policy)}, health_{policy_.until_assessed.value_or(policy_.ladder.worst())} {
    policy_.validate();
  }

  /// Follows `score` and returns the change of the level, if there is one. Before the first update the level
  /// is the policy's `until_assessed`, or the worst one.
  ///
  /// `score`: 0 to 100. Empty means unknown: then the level climbs to the policy's `panic_floor`, or stays.
  /// `at_most`: the highest score that is possible while the score is unknown, 0 to 100.
  std::optional<transition> update(std::optional<double> score, time_point now, double at_most = 100) {
    const standing before = stands();
    auto change = follow(score, at_most, now);
    return ended_if_due(before, change, score, now);
  }

  /// Follows another policy from now on. Level, relapses and override are kept. Returns the change of the
  /// level in force that a dry run that begins or ends makes. Throws `std::invalid_argument` naming field,
  /// value and range, also if the number of levels is another; then nothing has changed.
  std::optional<transition> reconfigure(level_policy<Level> policy, std::optional<double> score,
                                        time_point now) {
    policy.validate();
    detail::require_within("level_ladder.size of a policy that replaces another", policy.ladder.size(),
                           policy_.ladder.size(), policy_.ladder.size());
    const standing before = stands();
    policy_ = std::move(policy);
    return change_since(before, {.cause = level_cause::reconfigured}, score, now);
  }

  /// Lets an override expire and does nothing else. For the time before the first assessment, when a missing
  /// score does not mean that the score is unknown.
  std::optional<transition> wait(time_point now) {
    const standing before = stands();
    transition none{.cause = level_cause::override_ended};
    return ended_if_due(before, none, std::nullopt, now);
  }

  /// Sets an override until it expires. It replaces an earlier override. Throws as
  /// `level_override::validate`.
  std::optional<transition> set_override(level_override<Level> wanted, std::optional<double> score,
                                         time_point now) {
    wanted.validate(policy_.ladder, now);
    const standing before = stands();
    if (wanted.kind == override_kind::freeze) wanted.level = level();
    override_ = std::move(wanted);
    overridden_ = true;
    return change_since(before, {.cause = level_cause::override_set}, score, now);
  }

  /// Ends an override before it expires.
  std::optional<transition> clear_override(std::optional<double> score, time_point now) {
    const standing before = stands();
    overridden_ = false;
    return change_since(before, {.cause = level_cause::override_ended}, score, now);
  }

  /// The level in force. In a dry run that is the best level, unless an operator set another one.
  [[nodiscard]] Level level() const noexcept {
    if (overridden_) return override_.over(policy_.dry_run ? policy_.ladder.best() : health_);
    return policy_.dry_run ? policy_.ladder.best() : health_;
  }
  /// The level that health alone would give.
  [[nodiscard]] Level health_level() const noexcept { return health_; }
  /// False until the first update.
  [[nodiscard]] bool assessed() const noexcept { return assessed_; }
  /// Whether the level in force is only assumed: the policy's `until_assessed`.
  [[nodiscard]] bool assumed() const noexcept { return !assessed_ && policy_.until_assessed && !overridden_; }
  /// How long a better score must be held now. Relapses lengthen it.
  [[nodiscard]] duration current_dwell() const noexcept { return policy_.dwell_after(relapses_); }
  /// Relapses that are not forgotten yet.
  [[nodiscard]] std::uint32_t relapses() const noexcept { return relapses_; }
  /// Whether an override holds the level.
  [[nodiscard]] bool overridden() const noexcept { return overridden_; }
  /// The override in force; empty when there is none.
  [[nodiscard]] std::optional<level_override<Level>> active_override() const {
    if (!overridden_) return std::nullopt;
    return override_;
  }
  /// The policy in force.
  [[nodiscard]] const level_policy<Level>& policy() const noexcept { return policy_; }

  /// What would change the level that health gives.
  [[nodiscard]] level_outlook<Level> outlook(time_point now) const noexcept {
    const auto& ladder = policy_.ladder;
    level_outlook<Level> seen;
    if (health_ != ladder.best()) {
      seen.better = ladder.better(health_);
      seen.blind = blind_ && policy_.panic_floor && *seen.better >= *policy_.panic_floor &&
                   at_most_ >= policy_.needed_for(*seen.better);
      seen.better_at = policy_.needed_for(*seen.better);
      seen.better_after = current_dwell();
      if (better_since_) seen.better_in = (std::max)(dwell_over() - now, duration::zero());
    }
    if (health_ != ladder.worst()) {
      seen.worse = ladder.worse(health_);
      seen.worse_below = ladder.from(health_);
      seen.worse_after = policy_.confirm_for;
      if (worse_since_) {
        const auto confirmed = *worse_since_ + policy_.confirm_for;
        seen.worse_in = (std::max)(confirmed - now, duration::zero());
      }
    }
    return seen;
  }

  /// When `update` could change the level with an unchanged score: at the end of a dwell, of a confirmation
  /// or of an override.
  [[nodiscard]] std::optional<time_point> next_change() const noexcept {
    std::optional<time_point> next;
    if (better_since_) next = dwell_over();
    if (worse_since_) next = *worse_since_ + policy_.confirm_for;
    if (overridden_) next = next ? (std::min)(*next, override_.expires) : override_.expires;
    return next;
  }

 private:
  /// What is decided, and what requests see. In a dry run the two differ.
  struct standing {
    Level decided;
    Level in_force;
  };
  [[nodiscard]] standing stands() const noexcept {
    return {overridden_ ? override_.over(health_) : health_, level()};
  }

  /// The end of the dwell that has begun. A relapse that is forgotten before then shortens it.
  [[nodiscard]] time_point dwell_over() const noexcept {
    auto relapses = relapses_;
    auto over = *better_since_ + policy_.dwell_after(relapses);
    for (auto calm = calm_since_; relapses > 0; --relapses) {
      calm += policy_.relapse_window(relapses);
      if (calm >= over) break;
      over = (std::max)(calm, *better_since_ + policy_.dwell_after(relapses - 1));
    }
    return over;
  }

  /// Lets the level that health gives follow the score. Returns the reason for a change.
  transition follow(std::optional<double> score, double at_most, time_point now) {
    forget_relapses(worse_since_.value_or(now));  // while a fall is confirmed, the calm is over
    at_most_ = at_most;
    if (better_since_ && *better_since_ > now) better_since_ = now;  // the clock was ahead before
    const auto& ladder = policy_.ladder;
    if (!assessed_) {
      assessed_ = true;
      health_ = score ? ladder.at(*score)
                      : (std::max)(policy_.panic_floor.value_or(ladder.worst()), ladder.at(at_most));
      return {.cause = level_cause::first_assessment};
    }
    // A dwell that began with a known score does not count for an unknown one, and the reverse.
    if (std::exchange(blind_, !score) != !score) better_since_.reset();
    const Level shown = ladder.at(score.value_or(at_most));
    if (shown > health_) {
      better_since_.reset();
      const double left = ladder.from(health_);
      if (!worse_since_ || *worse_since_ > now) worse_since_ = now;
      if (now - *worse_since_ >= policy_.confirm_for) fall_to(shown, now);
      return {.cause = level_cause::health_fell, .threshold = left};
    }
    worse_since_.reset();
    return climb(score ? level_cause::health_recovered : level_cause::evidence_lost, now, [&](Level better) {
      if (!score && (!policy_.panic_floor || better < *policy_.panic_floor)) return false;
      return score.value_or(at_most) >= policy_.needed_for(better);
    });
  }

  /// Climbs one step if the step was `allowed` for the whole dwell.
  template <class Allowed>
  transition climb(level_cause cause, time_point now, Allowed allowed) {
    const auto& ladder = policy_.ladder;
    transition change{.cause = cause};
    if (health_ == ladder.best() || !allowed(ladder.better(health_))) {
      better_since_.reset();
      return change;
    }
    if (!better_since_) better_since_ = now;
    if (now - *better_since_ < current_dwell()) return change;
    health_ = ladder.better(health_);
    if (cause == level_cause::health_recovered) change.threshold = policy_.needed_for(health_);
    change.held = now - *better_since_;
    improved_at_ = now;
    // The next step needs a dwell of its own. It begins now if the score is high enough.
    better_since_.reset();
    if (health_ != ladder.best() && allowed(ladder.better(health_))) better_since_ = now;
    return change;
  }

  void fall_to(Level worse, time_point now) {
    const auto fell = worse_since_.value_or(now);  // not when it was confirmed
    const bool relapsed = improved_at_ && fell - *improved_at_ <= policy_.relapse_window(relapses_);
    // Above the cap a further relapse would not lengthen the dwell, only take longer to forget.
    if (relapsed && current_dwell() < policy_.dwell_after(relapses_ + 1)) ++relapses_;
    improved_at_.reset();  // one improvement is one relapse, however many steps down follow
    health_ = worse;
    worse_since_.reset();
    calm_since_ = now;
  }

  void forget_relapses(time_point now) {
    while (relapses_ > 0 && now - calm_since_ >= policy_.relapse_window(relapses_)) {
      calm_since_ += policy_.relapse_window(relapses_);
      --relapses_;
    }
  }

  std::optional<transition> ended_if_due(standing before, transition& change, std::optional<double> score,
                                         time_point now) {
    if (overridden_ && now >= override_.expires) {
      overridden_ = false;
      change = {.cause = level_cause::override_ended};
    }
    return change_since(before, change, score, now);
  }

  /// The change of what requests see. In a dry run, the change of what is decided.
  [[nodiscard]] std::optional<transition> change_since(const standing& before, transition change,
                                                       std::optional<double> score, time_point now) const {
    const standing after = stands();
    change.dry_run = before.in_force == after.in_force;
    change.from = change.dry_run ? before.decided : before.in_force;
    change.to = change.dry_run ? after.decided : after.in_force;
    if (change.from == change.to) return std::nullopt;
    change.score = score;
    change.next = outlook(now);
    change.at = now;
    return change;
  }

  level_policy<Level> policy_;
  Level health_;
  bool assessed_ = false;
  bool blind_ = false;                        // the last score was unknown
  double at_most_ = 100;                      // at the last update
  std::optional<time_point> worse_since_{};   // since when the score is below the level
  std::optional<time_point> better_since_{};  // since when the next better level could be reached
  std::optional<time_point> improved_at_{};   // the last step up, until the fall after it
  time_point calm_since_{};                   // the last fall, or when the last relapse was forgotten
  std::uint32_t relapses_ = 0;
  // Not an optional: GCC 12 sees uninitialised reads in one that holds strings, also in users' code.
  level_override<Level> override_{};
  bool overridden_ = false;
};

}  // namespace brownout::inline BROWNOUT_ABI
