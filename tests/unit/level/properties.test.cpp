// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/plain_rules.hpp"
#include "unit/level/policy_walk.hpp"

#include <optional>
#include <vector>

using namespace level_test;

namespace {

constexpr std::uint32_t paths = 240;
constexpr int steps = 500;

}  // namespace

TEST_CASE("whatever the policy and the scores, the level does what the rules say and nothing else",
          "[level][D2][exhaustive]") {
  std::size_t falls = 0, climbs = 0, blind_climbs = 0, relapses = 0;
  for (std::uint32_t seed = 0; seed < paths; ++seed) {
    INFO("seed " << seed);
    walk random{seed};
    const auto followed = random.any_policy();
    bench bench{followed};
    plain_rules expected{followed};
    std::optional<double> score = random.quarter(0, 100);
    for (int i = 0; i < steps; ++i) {
      const auto before = bench.shown();
      const auto change = bench.score(score);
      const auto cause = expected.follow(score, bench.now);
      REQUIRE(bench.shown() == expected.at);
      REQUIRE(bench.controller.health_level() == expected.at);
      REQUIRE(bench.controller.relapses() == expected.relapses);
      REQUIRE(bench.controller.current_dwell() == expected.dwell(expected.relapses));
      REQUIRE(change.has_value() == (before != expected.at));
      if (change) {
        REQUIRE(change->from == before);
        REQUIRE(change->to == expected.at);
        REQUIRE(change->cause == cause);
        REQUIRE(change->score == score);
        REQUIRE(change->at == bench.now);
        REQUIRE_FALSE(change->dry_run);
        const bool fell = cause == level_cause::health_fell;
        const bool recovered = cause == level_cause::health_recovered;
        if (fell) REQUIRE(change->threshold == followed.ladder.from(before));
        if (recovered) REQUIRE(change->threshold == followed.needed_for(change->to));
        if (!fell && !recovered) REQUIRE_FALSE(change->threshold);
        if (recovered || cause == level_cause::evidence_lost) REQUIRE(change->held == expected.held);
        falls += fell;
        climbs += recovered;
        blind_climbs += cause == level_cause::evidence_lost;
      }
      relapses += expected.relapses > 0;
      bench.now += random.next_wait(bench.controller.current_dwell());
      score = random.next_score(followed, score);
    }
  }
  // The paths went everywhere.
  CHECK(falls > 1000);
  CHECK(climbs > 1000);
  CHECK(blind_climbs > 100);
  CHECK(relapses > 1000);
}

TEST_CASE(
    "while the score stays between a level's threshold and what the better one asks for, nothing changes",
    "[level][D2]") {
  std::size_t bands = 0;
  for (std::uint32_t seed = 0; seed < paths; ++seed) {
    INFO("seed " << seed);
    walk random{seed};
    const auto followed = random.any_policy();
    const auto held = static_cast<level>(random.below(static_cast<std::uint32_t>(followed.ladder.size())));
    const double least = followed.ladder.from(held);
    bench bench{followed};
    static_cast<void>(bench.score(least));
    REQUIRE(bench.shown() == held);
    const double end =
        held == followed.ladder.best() ? 100 : followed.needed_for(followed.ladder.better(held));
    for (int i = 0; i < steps; ++i) {
      const double just_below = held == followed.ladder.best() ? 100 : std::nextafter(end, 0.0);
      const double wandering = random.one_in(3)   ? just_below
                               : random.one_in(2) ? least
                                                  : random.between(least, just_below);
      REQUIRE_FALSE(bench.score_after(random.next_wait(followed.dwell), wandering));
    }
    REQUIRE(bench.shown() == held);
    bands += end > least;
  }
  CHECK(bands > paths / 2);
}

TEST_CASE("between two steps up there is always a dwell", "[level][D2]") {
  for (std::uint32_t seed = 0; seed < paths; ++seed) {
    INFO("seed " << seed);
    walk random{seed};
    const auto followed = random.any_policy();
    bench bench{followed};
    std::optional<double> score = 0;
    std::optional<time_point> last_step;
    static_cast<void>(bench.score(score));
    for (int i = 0; i < steps; ++i) {
      const auto change = bench.score_after(random.next_wait(bench.controller.current_dwell()), score);
      if (change && change->to < change->from) {
        REQUIRE(change->to == followed.ladder.better(change->from));
        REQUIRE(change->held >= bench.controller.current_dwell());
        if (last_step) REQUIRE(bench.now - *last_step >= bench.controller.current_dwell());
        last_step = bench.now;
      }
      score = random.next_score(followed, score);
    }
  }
}

TEST_CASE(
    "relapse after relapse lengthens the dwell up to its limit and never beyond, and calm shortens it again",
    "[level][D2][D2g]") {
  for (std::uint32_t seed = 0; seed < paths; ++seed) {
    INFO("seed " << seed);
    walk random{seed};
    auto followed = random.any_policy();
    followed.ladder = {{level::optimal, 50}, {level::degraded, 0}};
    followed.panic_floor.reset();
    followed.dwell = std::max(followed.dwell, duration{1s});
    followed.confirm_for = 0s;
    bench bench{followed};
    static_cast<void>(bench.score(0));
    const auto most = duration{
        static_cast<duration::rep>(static_cast<double>(followed.dwell.count()) * followed.dwell_limit)};
    auto dwell = bench.controller.current_dwell();
    REQUIRE(dwell == followed.dwell);
    const bool grows = followed.dwell_growth > 1 && most > followed.dwell;
    for (int i = 0; i < 80; ++i) {
      static_cast<void>(bench.score(100));
      REQUIRE(bench.score_after(bench.controller.current_dwell(), 100));
      REQUIRE(bench.score(0));
      const auto grown = bench.controller.current_dwell();
      REQUIRE(grown <= most);
      REQUIRE((grown > dwell || dwell == most || !grows));
      dwell = grown;
    }
    if (followed.dwell_growth > 1.1) REQUIRE(dwell == most);
    std::uint32_t forgotten = 0;
    for (auto left = bench.controller.relapses(); left > 0; --left, ++forgotten) {
      const auto window = followed.relapse_window(left);
      static_cast<void>(bench.score_after(window - 1ns, 0));
      REQUIRE(bench.controller.relapses() == left);
      static_cast<void>(bench.score_after(1ns, 0));
      REQUIRE(bench.controller.relapses() == left - 1);
      REQUIRE(bench.controller.current_dwell() <= dwell);
      dwell = bench.controller.current_dwell();
    }
    REQUIRE((forgotten > 0) == grows);
    REQUIRE(dwell == followed.dwell);
  }
}

TEST_CASE("a dry run decides the same and shows none of it", "[level][D5][D5d]") {
  std::size_t noted = 0;
  for (std::uint32_t seed = 0; seed < paths; ++seed) {
    INFO("seed " << seed);
    walk random{seed};
    auto followed = random.any_policy();
    bench real{followed};
    followed.dry_run = true;
    bench dry{followed};
    REQUIRE(dry.shown() == followed.ladder.best());
    std::optional<double> score = random.quarter(0, 100);
    for (int i = 0; i < steps; ++i) {
      const auto change = real.score(score);
      const auto would_be = dry.score(score);
      REQUIRE(dry.shown() == followed.ladder.best());
      REQUIRE(dry.controller.health_level() == real.controller.health_level());
      REQUIRE(dry.controller.next_change() == real.controller.next_change());
      REQUIRE(change.has_value() == would_be.has_value());
      if (change) {
        REQUIRE(would_be->from == change->from);
        REQUIRE(would_be->to == change->to);
        REQUIRE(would_be->cause == change->cause);
        if (change->to != followed.ladder.best()) REQUIRE(would_be->dry_run);
        ++noted;
      }
      const auto wait = random.next_wait(real.controller.current_dwell());
      real.now += wait;
      dry.now += wait;
      score = random.next_score(followed, score);
    }
  }
  CHECK(noted > 1000);
}
