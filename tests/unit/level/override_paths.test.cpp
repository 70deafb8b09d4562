// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/policy_walk.hpp"

#include <algorithm>
#include <optional>
#include <string>

using namespace level_test;
using brownout::override_kind;

namespace {

/// Any override that is allowed at this moment.
pin any_override(walk& random, const policy& followed, time_point now) {
  const auto size = static_cast<std::uint32_t>(followed.ladder.size());
  return {.level = static_cast<level>(random.below(size)),
          .reason = "exercise",
          .actor = "ada",
          .expires = now + 1ns + random.next_wait(5s),
          .kind = static_cast<override_kind>(random.below(3))};
}

/// What requests must see while `set` holds.
level promised(const pin& set, level by_health, level frozen) {
  switch (set.kind) {
    case override_kind::pin:
      return set.level;
    case override_kind::cap:
      return std::max(set.level, by_health);
    case override_kind::freeze:
      return frozen;
  }
  return by_health;
}

/// A controller on a random path with random overrides, and one beside it that has none.
struct overridden_path {
  explicit overridden_path(std::uint32_t seed, bool with_dry_run)
      : random{seed}, followed{any(random, with_dry_run)}, with{followed}, without{followed} {}

  static policy any(walk& random, bool with_dry_run) {
    auto made = random.any_policy();
    made.dry_run = with_dry_run;
    return made;
  }

  void set(std::optional<double> score) {
    set_override = any_override(random, followed, with.now);
    frozen = with.shown();
    before = frozen;
    change = with.set(*set_override, score);
  }
  void clear(std::optional<double> score) {
    set_override.reset();
    before = with.shown();
    change = with.clear(score);
  }
  void score(std::optional<double> seen) {
    before = with.shown();
    change = with.score(seen);
    static_cast<void>(without.score(seen));
    if (set_override && with.now >= set_override->expires) set_override.reset();
  }
  /// To a random moment; often to just before the override expires, or to when it does.
  void wait() {
    auto by = random.next_wait(with.controller.current_dwell());
    if (set_override && random.one_in(2)) by = set_override->expires - with.now - duration{random.below(2)};
    with.now += std::max(by, duration{0});
    without.now = with.now;
  }
  [[nodiscard]] level expected() const {
    const auto by_health = followed.dry_run ? followed.ladder.best() : without.controller.health_level();
    return set_override ? promised(*set_override, by_health, frozen) : by_health;
  }

  walk random;
  policy followed;
  bench with;
  bench without;
  std::optional<pin> set_override{};
  level frozen{};
  level before{};
  std::optional<transition> change{};
};

/// Random scores, with an override set, replaced or taken back now and then.
template <class Check>
void on_all_paths(bool with_dry_run, Check check) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    overridden_path path{seed, with_dry_run};
    std::optional<double> score = path.random.quarter(0, 100);
    for (int i = 0; i < 500; ++i) {
      const auto what = path.random.below(12);
      if (what == 0) {
        path.set(score);
      } else if (what == 1) {
        path.clear(score);
      } else {
        path.score(score);
        score = path.random.next_score(path.followed, score);
      }
      check(path);
      path.wait();
    }
  }
}

}  // namespace

TEST_CASE("an override always wins, always ends to the nanosecond, and health goes on below it untouched",
          "[level][exhaustive][D5]") {
  std::size_t held = 0, changes = 0;
  on_all_paths(false, [&](const overridden_path& path) {
    const auto& seen = path.with.controller;
    REQUIRE(path.with.shown() == path.expected());
    REQUIRE(seen.overridden() == path.set_override.has_value());
    REQUIRE(seen.health_level() == path.without.controller.health_level());
    REQUIRE(seen.relapses() == path.without.controller.relapses());
    if (path.set_override) {
      REQUIRE(seen.active_override());
      REQUIRE(seen.active_override()->expires == path.set_override->expires);
      REQUIRE(seen.active_override()->kind == path.set_override->kind);
      REQUIRE(seen.next_change());
      REQUIRE(*seen.next_change() <= path.set_override->expires);
      if (path.set_override->kind == override_kind::cap) REQUIRE(path.with.shown() >= seen.health_level());
    } else {
      REQUIRE_FALSE(seen.active_override());
    }
    // What requests see changes with a transition that says so, and not without one.
    REQUIRE(path.change.has_value() == (path.before != path.with.shown()));
    if (path.change) {
      REQUIRE(path.change->from == path.before);
      REQUIRE(path.change->to == path.with.shown());
    }
    held += path.set_override.has_value();
    changes += path.change.has_value();
  });
  CHECK(held > 5000);
  CHECK(changes > 5000);
}

TEST_CASE("in a dry run an override wins as well: it is an operator's word and no rehearsal", "[level][D5]") {
  std::size_t held = 0;
  on_all_paths(true, [&](const overridden_path& path) {
    REQUIRE(path.with.shown() == path.expected());
    REQUIRE(path.with.controller.health_level() == path.without.controller.health_level());
    held += path.set_override.has_value();
  });
  CHECK(held > 5000);
}
