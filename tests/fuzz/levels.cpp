// SPDX-License-Identifier: BSL-1.0

// A level controller against its rules in their plainest form, with any policy, scores and overrides. A
// feature matrix against its rules, looked up one by one.

#include "target.hpp"
#include "unit/level/plain_rules.hpp"

#include "brownout/feature/dimmer.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/feature/feature_view.hpp"
#include "brownout/level/level_controller.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace fuzz;
using brownout::duration;
using brownout::feature_mode;
using brownout::level_cause;
using brownout::override_kind;
using brownout::time_point;
using level_test::level;
using policy = brownout::level_policy<level>;
using level_override = brownout::level_override<level>;

int number_of(level one) {
  return static_cast<int>(one);
}

/// In steps of a quarter point, so that scores meet thresholds exactly.
double quarter(choices& from, double least, double most) {
  return least + 0.25 * from.below(static_cast<std::uint32_t>((most - least) * 4) + 1);
}

level any_level(choices& from, std::size_t size) {
  return static_cast<level>(from.below(static_cast<std::uint32_t>(size)));
}

brownout::level_ladder<level> any_ladder(choices& from, std::size_t size) {
  std::vector<double> thresholds;
  while (thresholds.size() + 1 < size) {
    auto next = quarter(from, 0.25, 100);
    while (std::find(thresholds.begin(), thresholds.end(), next) != thresholds.end())
      next = next == 100 ? 0.25 : next + 0.25;
    thresholds.push_back(next);
  }
  std::sort(thresholds.begin(), thresholds.end(), std::greater<>{});
  thresholds.push_back(0);
  std::vector<brownout::rung<level>> rungs;
  for (std::size_t i = 0; i < size; ++i) {
    rungs.push_back({static_cast<level>(i), thresholds[i], std::nullopt});
    if (from.one_in(4)) rungs[i].enter = quarter(from, thresholds[i], 100);
    from.note("level {} from {}{}", i, thresholds[i],
              rungs[i].enter ? fmt::format(", enter {}", *rungs[i].enter) : "");
  }
  return brownout::level_ladder<level>{std::span<const brownout::rung<level>>{rungs}};
}

policy any_policy(choices& from, std::size_t size) {
  policy made{.ladder = any_ladder(from, size)};
  made.hysteresis = from.one_in(4) ? 0 : quarter(from, 0, 12);
  made.dwell = from.time(10s);
  made.confirm_for = from.one_in(2) ? duration{} : from.time(3s);
  made.dwell_growth = from.between(4, 16) / 4.0;
  made.dwell_limit = from.between(4, 80) / 4.0;
  made.relapse_within = from.between(4, 40) / 4.0;
  made.panic_floor = from.one_in(4) ? std::nullopt : std::optional{any_level(from, size)};
  made.dry_run = from.one_in(4);
  from.note(
      "hysteresis {}, dwell {} us, confirm_for {} us, growth {} up to {}, relapse_within {}, floor {}, "
      "dry_run {}",
      made.hysteresis, made.dwell / 1us, made.confirm_for / 1us, made.dwell_growth, made.dwell_limit,
      made.relapse_within, made.panic_floor ? number_of(*made.panic_floor) : -1, made.dry_run);
  return made;
}

class pair_of_controllers {
 public:
  pair_of_controllers(choices& from, const policy& followed)
      : from_{from}, size_{followed.ladder.size()}, real_{followed}, rules_{followed} {}

  void run() {
    assess();
    compare();
    for (int step = 0; step < 300 && from_.left(); ++step) {
      act();
      compare();
    }
  }

 private:
  using transition = std::optional<brownout::level_transition<level>>;

  void act() {
    const auto choice = from_.below(16);
    if (choice < 5) return advance();
    if (choice < 7) score_ = any_score();
    if (choice < 13) return assess();
    if (choice == 13) return set_override();
    if (choice == 14) {
      from_.note("clear the override");
      expect(real_.clear_override(score_, now_), level_cause::override_ended, [&] { override_.reset(); });
    } else if (from_.one_in(4)) {
      const auto next = any_policy(from_, size_);
      expect(real_.reconfigure(next, score_, now_), level_cause::reconfigured,
             [&] { rules_.followed = next; });
      last_at_most_ = -1;  // another policy may change the level at once
    }
  }

  std::optional<double> any_score() {
    const auto& ladder = rules_.followed.ladder;
    at_most_ = from_.one_in(4) ? quarter(from_, 0, 100) : 100;
    switch (from_.below(5)) {
      case 0:
        return std::nullopt;
      case 1:
        return ladder.from(any_level(from_, size_));
      case 2:
        return std::max(ladder.from(any_level(from_, size_)) - 0.25, 0.0);
      case 3:
        return std::min(ladder.from(any_level(from_, size_)) + rules_.followed.hysteresis, 100.0);
      default:
        return quarter(from_, 0, 100);
    }
  }

  void advance() {
    const auto next = real_.next_change();
    auto by = from_.time(from_.one_in(8) ? duration{1h} : duration{12s});
    if (next && *next > now_ && from_.one_in(2)) by = *next - now_ - (from_.one_in(2) ? 1ns : 0ns);
    from_.note("advance {} ns", by.count());
    now_ += by;
  }

  /// Gives the score. If it is the score of the last time, nothing may change before it was announced.
  void assess() {
    from_.note("score {}, at most {}", score_ ? fmt::format("{}", *score_) : "unknown", at_most_);
    const bool is_same = score_ == last_score_ && at_most_ == last_at_most_;
    const auto announced = real_.next_change();
    const bool was_assessed = real_.assessed();
    const auto change = real_.update(score_, now_, at_most_);
    if (was_assessed && is_same && change)
      require(announced && *announced <= now_, "the level changed before next_change said so");
    last_score_ = score_;
    last_at_most_ = at_most_;
    const auto before = stands();
    auto cause = rules_.follow(score_, now_, at_most_);
    if (override_ && now_ >= override_->expires) {
      override_.reset();
      cause = level_cause::override_ended;
    }
    check(change, before, cause);
  }

  void set_override() {
    level_override wanted{
        any_level(from_, size_), "reason", "actor", now_ + from_.time(1min) + 1us,
        from_.one_of(std::array{override_kind::pin, override_kind::cap, override_kind::freeze})};
    from_.note("{} to {}", to_string(wanted.kind), number_of(wanted.level));
    expect(real_.set_override(wanted, score_, now_), level_cause::override_set, [&] {
      if (wanted.kind == override_kind::freeze) wanted.level = in_force();
      override_ = wanted;
    });
  }

  /// What is decided, and what requests see. In a dry run the two differ.
  struct standing {
    level decided;
    level in_force;
  };
  [[nodiscard]] standing stands() const { return {over(rules_.at), in_force()}; }

  template <class Apply>
  void expect(const transition& change, level_cause cause, Apply apply) {
    const auto before = stands();
    apply();
    check(change, before, cause);
  }

  /// A change of what requests see must be told. If they see no change, a change of what is decided.
  void check(const transition& change, const standing& before, std::optional<level_cause> cause) const {
    const auto after = stands();
    const bool is_seen = before.in_force != after.in_force;
    const auto old = is_seen ? before.in_force : before.decided;
    const auto now = is_seen ? after.in_force : after.decided;
    require_same(change.has_value(), old != now, "whether a change is told");
    if (!change) return;
    require_same(change->dry_run, !is_seen, "whether the change is told as one of a dry run");
    require_same(number_of(change->from), number_of(old), "from");
    require_same(number_of(change->to), number_of(now), "to");
    require(cause.has_value(), "a change without a cause");
    require_same(to_string(change->cause), to_string(*cause), "the cause");
    require(change->at == now_, "the time of the change");
  }

  [[nodiscard]] level in_force() const {
    return over(rules_.followed.dry_run ? rules_.followed.ladder.best() : rules_.at);
  }
  [[nodiscard]] level over(level by_health) const {
    if (!override_) return by_health;
    return override_->kind == override_kind::cap ? std::max(by_health, override_->level) : override_->level;
  }

  void compare() const {
    require_same(number_of(real_.health_level()), number_of(rules_.at), "the level by health");
    require_same(number_of(real_.level()), number_of(in_force()), "the level in force");
    require_same(real_.relapses(), rules_.relapses, "the relapses");
    require_same(real_.current_dwell().count(), rules_.dwell(rules_.relapses).count(), "the dwell in ns");
    require_same(real_.overridden(), override_.has_value(), "whether there is an override");
  }

  choices& from_;
  std::size_t size_;
  brownout::level_controller<level> real_;
  level_test::plain_rules rules_;
  std::optional<level_override> override_;
  std::optional<double> score_;
  double at_most_ = 100;
  std::optional<double> last_score_;
  double last_at_most_ = 100;
  time_point now_{1h};
};

enum class feature : std::uint8_t {};
constexpr std::size_t features = 5;
using matrix = brownout::feature_matrix<feature, level, features>;

void look_up(choices& from) {
  std::array<brownout::feature_rule<feature, level>, features> rules;
  std::array<brownout::dimmer, features> dimmers;
  for (std::size_t i = 0; i < features; ++i) {
    const auto last = any_level(from, 16);
    const auto full = any_level(from, static_cast<std::size_t>(last) + 1);
    auto& rule = rules.at(i);
    rule = {static_cast<feature>(i), last,
            brownout::dependency_set{from.one_in(2) ? 0 : from.any<std::uint32_t>()}};
    if (from.one_in(2)) rule.last_full = full;
    if (from.one_in(2))
      rule.last_reduced =
          static_cast<level>(from.between(number_of(rule.last_full.value_or(last)), number_of(last)));
    if (from.one_in(2)) dimmers.at(i).set(from.below(5) / 4.0);
    from.note("feature {}: last {}, full to {}, reduced to {}, needs {:x}, share {}", i, number_of(last),
              rule.last_full ? number_of(*rule.last_full) : -1,
              rule.last_reduced ? number_of(*rule.last_reduced) : -1, rule.needs.bits(),
              dimmers.at(i).share());
  }
  brownout::feature_rule<feature, level> listed[features];
  std::copy(rules.rbegin(), rules.rend(), listed);  // in any order
  const matrix real{listed};

  const auto plain = [&](std::size_t which, level now, brownout::dependency_set refusing) {
    const auto& rule = rules.at(which);
    const auto full = rule.last_full.value_or(rule.last);
    if ((rule.needs.bits() & refusing.bits()) != 0 || now > rule.last) return feature_mode::off;
    if (now <= full) return feature_mode::full;
    return now <= rule.last_reduced.value_or(full) ? feature_mode::reduced : feature_mode::cached;
  };

  for (int step = 0; step < 60 && from.left(); ++step) {
    const auto now = any_level(from, 16);
    const brownout::dependency_set refusing{from.one_in(2) ? 0 : from.any<std::uint32_t>()};
    const auto epoch = from.any<std::uint16_t>();
    brownout::detail::degradation_word word{static_cast<std::size_t>(now), refusing, epoch};
    const auto before =
        static_cast<level>(from.between(number_of(now), 15));  // the level that features return from
    const auto share = from.below(64);
    if (before > now) word = word.returning(static_cast<std::size_t>(before), share);
    const bool dims = from.one_in(2);
    const brownout::feature_view<matrix> view{real, word, dims ? dimmers.data() : nullptr};
    const std::uint64_t caller = from.any<std::uint16_t>();
    from.note("level {}, before {}, {}/64 returned, refusing {:x}, caller {}", number_of(now),
              number_of(before), share, refusing.bits(), caller);
    require_same(number_of(view.level()), number_of(now), "the level");
    require_same(view.refusing().bits(), refusing.bits(), "the refusing dependencies");
    require_same(view.epoch(), epoch % 1024U, "the epoch");
    require_same(view.is_returning(), before > now, "whether features return");
    for (std::size_t i = 0; i < features; ++i) {
      const auto which = static_cast<feature>(i);
      const auto after = plain(i, now, refusing);
      const auto until = plain(i, before, refusing);
      require_same(to_string(real.mode(which, now, refusing)), to_string(after), "the mode");
      const auto seen = view.mode(which);
      require(seen == after || (before > now && seen == until), "the mode is {}, expected {} or {}",
              to_string(seen), to_string(after), to_string(until));
      require_same(view.available(which), seen != feature_mode::off, "whether the feature is available");
      require_same(to_string(view.explain(which).mode), to_string(seen), "the explained mode");
      require_same(view.explain(which).blocked_by.bits(), rules.at(i).needs.bits() & refusing.bits(),
                   "blocked_by");
      require_same(view.explain(which).allowed_by_level, now <= rules.at(i).last, "allowed_by_level");

      const auto to_caller = view.mode(which, caller);
      const bool may = !dims || dimmers.at(i).share() > 0;
      const bool must = !dims || dimmers.at(i).share() >= 1;
      require(to_caller == after || (before > now && to_caller == until) ||
                  (!must && to_caller == feature_mode::off),
              "the mode for the caller is {}", to_string(to_caller));
      require(may || to_caller == feature_mode::off, "a feature that is dimmed to nothing is offered");
      require_same(view.available(which, caller), to_caller != feature_mode::off,
                   "whether the caller has the feature");
      require_same(to_string(view.explain(which, caller).mode), to_string(to_caller),
                   "the mode explained to the caller");
    }
  }
}

}  // namespace

void fuzz::one_input(choices& from) {
  if (from.one_in(3)) return look_up(from);
  pair_of_controllers{from, any_policy(from, 1 + from.below(16))}.run();
}
