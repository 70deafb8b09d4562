// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/invalid_option.hpp"
#include "brownout/degradation/level_ladder.hpp"
#include "brownout/degradation/level_policy.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brownout {

/// Why a level changed.
enum class level_cause : std::uint8_t {
  first_assessment,  ///< the first score: the level follows it at once, either way
  health_fell,       ///< the score fell below the level's threshold
  health_recovered,  ///< the score held above a better level's threshold for the dwell
  override_set,      ///< an operator pinned a level
  override_ended,    ///< the pin expired or was taken back
};

[[nodiscard]] constexpr std::string_view to_string(level_cause cause) noexcept {
  switch (cause) {
    case level_cause::first_assessment:
      return "first_assessment";
    case level_cause::health_fell:
      return "health_fell";
    case level_cause::health_recovered:
      return "health_recovered";
    case level_cause::override_set:
      return "override_set";
    case level_cause::override_ended:
      return "override_ended";
  }
  return "invalid";
}

/// One change of the level in force.
template <degradation_level Level>
struct level_transition {
  Level from{};
  Level to{};
  level_cause cause = level_cause::first_assessment;
  std::optional<double> score;  ///< at that moment; nothing when unknown
  time_point at{};
};

/// A level pinned by an operator. It wins over health, and it always ends.
template <degradation_level Level>
struct level_override {
  Level level{};
  std::string reason;    ///< why, for the next person on duty; not empty
  std::string actor;     ///< who; not empty
  time_point expires{};  ///< when health decides again; at most `longest` ahead

  /// What nobody renews ends: a week, so that a pin set before a long weekend holds and a forgotten one does
  /// not outlive its reason.
  static constexpr duration longest = std::chrono::hours{168};
};

/// What do we still offer? Turns a score over time into a level: worse at once, better step by step.
///
/// Deterministic: time is an argument. Not thread-safe; the supervisor calls it under its lock.
template <degradation_level Level>
class controller {
 public:
  /// Throws `std::invalid_argument` naming field, value and range.
  explicit controller(level_policy<Level> policy)
      : policy_{std::move(policy)}, health_{policy_.ladder.worst()} {
    policy_.validate();
  }

  /// Follows `score` (nothing: unknown, and the level holds). Returns the change of the level in force, if
  /// any. Until the first known score the level is the worst.
  std::optional<level_transition<Level>> update(std::optional<double> score, time_point now) {
    const Level before = level();
    level_cause cause = follow(score, now);
    if (pinned_ && now >= pin_.expires) {
      pinned_ = false;
      cause = level_cause::override_ended;
    }
    return change_since(before, cause, score, now);
  }

  /// Pins a level until it expires; replaces an earlier pin. Throws `std::invalid_argument` for a level that
  /// is not on the ladder, an empty reason or actor, or an expiry that is past or more than a week ahead.
  std::optional<level_transition<Level>> set_override(level_override<Level> pin, std::optional<double> score,
                                                      time_point now) {
    if (!policy_.ladder.holds(pin.level)) {
      detail::invalid_option("level_override.level", std::to_string(static_cast<std::size_t>(pin.level)),
                             "a level of the ladder");
    }
    if (pin.reason.empty()) detail::invalid_option("level_override.reason", "''", "a text");
    if (pin.actor.empty()) detail::invalid_option("level_override.actor", "''", "a text");
    // Compared before they are subtracted: far apart, their distance does not fit into a duration.
    if (pin.expires <= now) {
      detail::invalid_option("level_override.expires", "a time gone by", "in the future");
    }
    if (pin.expires > now + level_override<Level>::longest) {
      detail::invalid_option("level_override.expires", detail::to_text(pin.expires - now) + " from now",
                             "up to " + detail::to_text(level_override<Level>::longest) + " from now");
    }
    const Level before = level();
    pin_ = std::move(pin);
    pinned_ = true;
    return change_since(before, level_cause::override_set, score, now);
  }

  /// Takes a pin back before it expires.
  std::optional<level_transition<Level>> clear_override(std::optional<double> score, time_point now) {
    const Level before = level();
    pinned_ = false;
    return change_since(before, level_cause::override_ended, score, now);
  }

  /// The level in force.
  [[nodiscard]] Level level() const noexcept { return pinned_ ? pin_.level : health_; }
  /// The level that health alone would give.
  [[nodiscard]] Level health_level() const noexcept { return health_; }
  /// False until the first known score.
  [[nodiscard]] bool assessed() const noexcept { return assessed_; }
  /// How long a better score must hold now, relapses included.
  [[nodiscard]] duration current_dwell() const noexcept { return policy_.dwell_after(relapses_); }
  /// Improvements that did not last, less those forgotten since.
  [[nodiscard]] std::uint32_t relapses() const noexcept { return relapses_; }
  /// The pin in force, if there is one.
  [[nodiscard]] std::optional<level_override<Level>> active_override() const {
    if (!pinned_) return std::nullopt;
    return pin_;
  }
  [[nodiscard]] const level_policy<Level>& policy() const noexcept { return policy_; }

  /// When `update` could change the level although the score stays: a dwell is over or a pin expires.
  [[nodiscard]] std::optional<time_point> next_change() const noexcept {
    std::optional<time_point> next;
    if (better_since_) next = *better_since_ + current_dwell();
    if (pinned_) next = next ? std::min(*next, pin_.expires) : pin_.expires;
    return next;
  }

 private:
  /// Lets the level that health gives follow the score, and says why it changed if it did.
  level_cause follow(std::optional<double> score, time_point now) {
    forget_relapses(now);
    if (!score) {
      // Neither better nor worse: what was counted towards a change no longer holds.
      better_since_.reset();
      scores_below_ = 0;
      return level_cause::health_recovered;
    }
    const auto& ladder = policy_.ladder;
    const Level shown = ladder.at(*score);
    if (!assessed_) {
      assessed_ = true;
      health_ = shown;
      return level_cause::first_assessment;
    }
    if (shown > health_) {
      better_since_.reset();
      if (++scores_below_ >= policy_.confirmations) fall_to(shown, now);
      return level_cause::health_fell;
    }
    scores_below_ = 0;
    if (health_ == ladder.best() || *score < policy_.needed_for(ladder.better(health_))) {
      better_since_.reset();
      return level_cause::health_recovered;
    }
    if (!better_since_) better_since_ = now;
    if (now - *better_since_ >= current_dwell()) {
      health_ = ladder.better(health_);
      improved_at_ = now;
      // The next step needs a dwell of its own, if the score carries that far.
      better_since_.reset();
      if (health_ != ladder.best() && *score >= policy_.needed_for(ladder.better(health_)))
        better_since_ = now;
    }
    return level_cause::health_recovered;
  }

  void fall_to(Level worse, time_point now) {
    const bool relapsed = improved_at_ && now - *improved_at_ <= policy_.relapse_window(relapses_);
    // Beyond the cap more relapses would change nothing but take longer to forget.
    if (relapsed && current_dwell() < policy_.dwell_after(relapses_ + 1)) ++relapses_;
    improved_at_.reset();  // an improvement fails once, however many steps down follow
    health_ = worse;
    scores_below_ = 0;
    calm_since_ = now;
  }

  void forget_relapses(time_point now) {
    while (relapses_ > 0 && now - calm_since_ >= policy_.relapse_window(relapses_)) {
      calm_since_ += policy_.relapse_window(relapses_);
      --relapses_;
    }
  }

  [[nodiscard]] std::optional<level_transition<Level>> change_since(Level before, level_cause cause,
                                                                    std::optional<double> score,
                                                                    time_point now) const {
    if (before == level()) return std::nullopt;
    return level_transition<Level>{before, level(), cause, score, now};
  }

  level_policy<Level> policy_;
  Level health_;
  bool assessed_ = false;
  std::uint32_t scores_below_ = 0;          // in a row
  std::optional<time_point> better_since_;  // since when the score suffices for the next better level
  std::optional<time_point> improved_at_;   // the last step up, until the fall after it
  time_point calm_since_{};                 // the last fall, or when the last relapse was forgotten
  std::uint32_t relapses_ = 0;
  // Not an optional: GCC 12 sees uninitialised reads in one that holds strings, also in users' code.
  level_override<Level> pin_{};
  bool pinned_ = false;
};

}  // namespace brownout
