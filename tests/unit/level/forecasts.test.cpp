// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/policy_walk.hpp"

#include <cmath>
#include <limits>
#include <optional>

using namespace level_test;

namespace {

using brownout::level_controller;

/// Leads a controller along random paths and shows it at random moments, with the last score, after it has
/// followed it.
template <class Look>
void everywhere(std::uint32_t paths, Look look) {
  for (std::uint32_t seed = 0; seed < paths; ++seed) {
    INFO("seed " << seed);
    walk random{seed};
    const auto followed = random.any_policy();
    bench bench{followed};
    std::optional<double> score = random.quarter(0, 100);
    for (int i = 0; i < 500; ++i) {
      static_cast<void>(bench.score(score));
      if (random.one_in(8)) look(bench, score, random);
      bench.now += random.next_wait(bench.controller.current_dwell());
      score = random.next_score(followed, score);
    }
  }
}

/// Whether a score below the level is not confirmed yet.
bool is_doubted(const bench& bench, std::optional<double> score) {
  return score && *score < bench.controller.policy().ladder.from(bench.shown());
}

}  // namespace

TEST_CASE("until the next change that is announced nothing changes, and then it does, if the score stays",
          "[level][D2]") {
  std::size_t announced = 0, announced_falls = 0, quiet = 0;
  everywhere(200, [&](const bench& seen, std::optional<double> score, walk& random) {
    const auto next = seen.controller.next_change();
    if (!next) {
      bench later{seen};
      for (const duration wait : {duration{1}, duration{1s}, duration{1h}})
        REQUIRE_FALSE(later.score_after(wait, score));
      ++quiet;
      return;
    }
    REQUIRE(*next >= seen.now);
    if (*next > seen.now) {
      const auto wait = duration{static_cast<duration::rep>(
          random.between(0, 1) * static_cast<double>((*next - seen.now).count() - 1))};
      bench before{seen};
      REQUIRE_FALSE(before.score_after(wait, score));
      before.now = *next - 1ns;
      REQUIRE_FALSE(before.score(score));
    }
    bench then{seen};
    then.now = *next;
    const auto change = then.score(score);
    REQUIRE(change);
    const auto& rungs = then.controller.policy().ladder;
    const bool falls = is_doubted(seen, score);
    REQUIRE(change->to == (falls ? rungs.at(*score) : rungs.better(change->from)));
    ++(falls ? announced_falls : announced);
  });
  CHECK(announced > 500);
  CHECK(announced_falls > 100);
  CHECK(quiet > 500);
}

TEST_CASE("the outlook names what brings the next better level, and when", "[level][D5]") {
  std::size_t begun = 0, not_begun = 0;
  everywhere(200, [&](const bench& seen, std::optional<double> score, walk&) {
    const auto& followed = seen.controller.policy();
    const auto outlook = seen.controller.outlook(seen.now);
    const auto at = seen.controller.health_level();
    if (at == followed.ladder.best()) {
      REQUIRE_FALSE(outlook.better);
      REQUIRE_FALSE(outlook.better_in);
      return;
    }
    REQUIRE(outlook.better == followed.ladder.better(at));
    REQUIRE(outlook.better_at == followed.needed_for(*outlook.better));
    REQUIRE(outlook.better_after == seen.controller.current_dwell());
    if (!score) return;

    const bool enough = *score >= outlook.better_at;
    REQUIRE(outlook.better_in.has_value() == enough);
    REQUIRE((!enough || (*outlook.better_in >= 0s && *outlook.better_in <= outlook.better_after)));
    bench held{seen};
    const auto first = held.score(outlook.better_at);
    if (outlook.better_after == 0s) {
      REQUIRE(to(first) == outlook.better);
      return;
    }
    REQUIRE_FALSE(first);
    REQUIRE(held.controller.outlook(held.now).better_in);
    const auto left = *held.controller.outlook(held.now).better_in;
    REQUIRE(left <= outlook.better_after);
    REQUIRE((!enough || left == *outlook.better_in));
    REQUIRE_FALSE(held.score_after(left - 1ns, outlook.better_at));
    REQUIRE(held.controller.outlook(held.now).better_in == 1ns);
    REQUIRE(to(held.score_after(1ns, outlook.better_at)) == outlook.better);
    ++(enough ? begun : not_begun);

    // A hair less, and it never comes.
    const double less = std::nextafter(outlook.better_at, 0.0);
    if (less < followed.ladder.from(at)) return;
    bench below{seen};
    for (int i = 0; i < 3; ++i) REQUIRE_FALSE(below.score_after(1h, less));
    REQUIRE_FALSE(below.controller.outlook(below.now).better_in);
  });
  CHECK(begun > 100);
  CHECK(not_begun > 500);
}

TEST_CASE("the outlook names what makes the level worse: a hair below its threshold, and not the threshold",
          "[level][D5]") {
  std::size_t falls = 0;
  everywhere(200, [&](const bench& seen, std::optional<double> score, walk&) {
    const auto& followed = seen.controller.policy();
    const auto outlook = seen.controller.outlook(seen.now);
    const auto at = seen.controller.health_level();
    if (at == followed.ladder.worst()) {
      REQUIRE_FALSE(outlook.worse);
      return;
    }
    REQUIRE(outlook.worse == followed.ladder.worse(at));
    if (is_doubted(seen, score)) return;
    bench kept{seen};
    for (const duration wait : {duration{0}, followed.confirm_for, duration{1}}) {
      const auto change = kept.score_after(wait, outlook.worse_below);
      REQUIRE((!change || change->to < at));
      if (change) return;  // it was enough for the better one
    }
    bench left{seen};
    const double less = std::nextafter(outlook.worse_below, -1.0);
    REQUIRE(outlook.worse_after == followed.confirm_for);
    REQUIRE_FALSE(outlook.worse_in);
    if (followed.confirm_for > 0s) {
      REQUIRE_FALSE(left.score(less));
      REQUIRE(left.controller.outlook(left.now).worse_in == followed.confirm_for);
      REQUIRE_FALSE(left.score_after(followed.confirm_for - 1ns, less));
      left.now += 1ns;
    }
    const auto change = left.score(less);
    REQUIRE(to(change) == outlook.worse);
    REQUIRE(change->threshold == outlook.worse_below);
    ++falls;
  });
  CHECK(falls > 1000);
}

TEST_CASE("a blind climb is foretold as well", "[level][H2]") {
  std::size_t climbs = 0;
  everywhere(200, [&](const bench& seen, std::optional<double> score, walk&) {
    if (score) return;
    const auto& followed = seen.controller.policy();
    const auto outlook = seen.controller.outlook(seen.now);
    const bool wanted = outlook.better && followed.panic_floor && *outlook.better >= *followed.panic_floor;
    // The first unknown score is where the system starts, and not the beginning of a climb.
    if (!outlook.better_in) {
      bench later{seen};
      if (!wanted) REQUIRE_FALSE(later.score_after(24h, std::nullopt));
      return;
    }
    REQUIRE(wanted);
    bench then{seen};
    if (*outlook.better_in > 0s) {
      REQUIRE_FALSE(then.score_after(*outlook.better_in - 1ns, std::nullopt));
      then.now += 1ns;
    }
    const auto change = then.score(std::nullopt);
    REQUIRE(to(change) == outlook.better);
    REQUIRE(change->cause == level_cause::evidence_lost);
    ++climbs;
  });
  CHECK(climbs > 100);
}

TEST_CASE("every change says what would change the level again", "[level][D5][D5f]") {
  bench bench;
  static_cast<void>(bench.score(100));
  const auto fell = bench.score(75);
  REQUIRE(fell);
  CHECK(fell->next.better == level::optimal);
  CHECK(fell->next.better_at == 92);
  CHECK(fell->next.better_after == 10s);
  CHECK_FALSE(fell->next.better_in);
  CHECK(fell->next.worse == level::limited);
  CHECK(fell->next.worse_below == 70);

  static_cast<void>(bench.score(100));
  const auto rose = bench.score_after(10s, 100);
  REQUIRE(rose);
  CHECK_FALSE(rose->next.better);
  CHECK(rose->next.worse == level::degraded);
  CHECK(rose->next.worse_below == 90);

  const auto relapsed = bench.score_after(1s, 0);
  REQUIRE(relapsed);
  CHECK(relapsed->next.better == level::minimal);
  CHECK(relapsed->next.better_at == 42);
  CHECK(relapsed->next.better_after == 20s);
  CHECK_FALSE(relapsed->next.worse);
}

TEST_CASE("after a relapse what is announced is the longer dwell", "[level][D2]") {
  bench bench;
  static_cast<void>(bench.score(80));
  static_cast<void>(bench.score(100));
  static_cast<void>(bench.score_after(10s, 100));
  static_cast<void>(bench.score_after(1s, 80));
  static_cast<void>(bench.score_after(1s, 100));
  CHECK(bench.controller.next_change() == bench.now + 20s);
  CHECK(bench.controller.outlook(bench.now).better_in == 20s);
  CHECK_FALSE(bench.score_after(20s - 1ns, 100));
  CHECK(to(bench.score_after(1ns, 100)) == level::optimal);
}

TEST_CASE("a step up that carries further says when the next one is due", "[level][D5]") {
  bench bench;
  static_cast<void>(bench.score(0));
  static_cast<void>(bench.score(100));
  const auto rose = bench.score_after(10s, 100);
  REQUIRE(rose);
  CHECK(rose->next.better == level::limited);
  CHECK(rose->next.better_in == 10s);
  CHECK(bench.controller.outlook(bench.now + 4s).better_in == 6s);
  CHECK(bench.controller.outlook(bench.now + 11s).better_in == 0s);  // overdue, and not a negative time
}
