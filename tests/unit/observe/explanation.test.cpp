// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/levels.hpp"

#include "brownout/observe/explanation.hpp"
#include "brownout/system/snapshot.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

using namespace std::chrono_literals;
using brownout::circuit_state;
using brownout::explain;
using brownout::level_cause;
using brownout::level_outlook;
using brownout::score_limit;
using level_test::level;
using transition = brownout::explained_transition<level>;

namespace {

constexpr std::string_view name_of(std::size_t number) {
  constexpr std::array<std::string_view, 3> names{"openai", "database", "redis"};
  return names[number];
}

transition fall() {
  transition change;
  change.from = level::optimal;
  change.to = level::minimal;
  change.cause = level_cause::health_fell;
  change.score = 50;
  change.threshold = 90;
  change.next = {.better = level::limited,
                 .better_at = 62,
                 .better_after = 10s,
                 .worse = level::emergency,
                 .worse_below = 40};
  change.contributions = {{.dependency = 0, .state = circuit_state::open, .score = 0, .lost = 50}};
  return change;
}

}  // namespace

TEST_CASE("a fall is explained by its threshold, its signals and the way back", "[observe][D5]") {
  CHECK(explain(fall(), name_of) ==
        "optimal -> minimal: health_fell, score 50 below 90. openai loses 50 points (open). "
        "limited when the score holds 62 for 10 s. emergency below 40.");
}

TEST_CASE("a fall by a full limit says what share of calls it refused", "[observe][H4c]") {
  auto change = fall();
  change.contributions = {{.dependency = 1, .score = 60, .lost = 12, .refused = 0.4}};
  CHECK(
      explain(change, name_of).find("database loses 12 points (closed, its limit refused 40 % of calls).") !=
      std::string::npos);
  change.contributions.front().refused = 1. / 3;
  CHECK(explain(change, name_of).find("its limit refused 33.3 % of calls") != std::string::npos);
}

TEST_CASE("a recovery is explained by what was held, and for how long", "[observe][D5]") {
  transition change;
  change.from = level::degraded;
  change.to = level::optimal;
  change.cause = level_cause::health_recovered;
  change.score = 96.25;
  change.threshold = 92;
  change.held = 10250ms;
  change.contributions = {{.dependency = 2, .state = circuit_state::closed, .score = 75, .lost = 3.75}};
  change.next = {.worse = level::degraded, .worse_below = 90};
  CHECK(explain(change, name_of) ==
        "degraded -> optimal: health_recovered, score 96.25, 92 held for 10.25 s. redis loses 3.75 points "
        "(closed). degraded below 90.");
}

TEST_CASE("an operator's doing is explained by who and why", "[observe][D5]") {
  auto change = fall();
  change.cause = level_cause::override_set;
  change.threshold.reset();
  change.actor = "ada";
  change.reason = "migration";
  CHECK(
      explain(change, name_of).starts_with("optimal -> minimal: override_set, score 50. By ada: migration."));
  CHECK(explain(change, name_of).find("By health: limited when") != std::string::npos);

  change.cause = level_cause::override_ended;
  CHECK(explain(change, name_of)
            .starts_with("optimal -> minimal: override_ended, score 50. It was set by ada: migration."));
}

TEST_CASE("what is unknown, limited or only noted is said", "[observe][D5]") {
  auto change = fall();
  change.limit = score_limit::required;
  change.limited_by = 1;
  change.dry_run = true;
  CHECK(explain(change, name_of)
            .starts_with("(dry run) optimal -> minimal: health_fell, score 50 below 90. database is "
                         "required. openai loses"));

  change = fall();
  change.limit = score_limit::optional;
  CHECK(explain(change, name_of).find("Optional dependencies alone take it no lower.") != std::string::npos);

  change.cause = level_cause::evidence_lost;
  change.score.reset();
  change.threshold.reset();
  change.limit = score_limit::thin_evidence;
  change.contributions = {{.dependency = 1}};
  CHECK(explain(change, name_of)
            .starts_with("optimal -> minimal: evidence_lost, score unknown. Too little is known "
                         "for a score. database is unknown. limited"));
}

TEST_CASE("an outlook alone is a sentence for each way", "[observe][D5]") {
  CHECK(explain(fall().next) == "limited when the score holds 62 for 10 s. emergency below 40.");
  CHECK(explain(level_outlook<level>{.worse = level::degraded, .worse_below = 90}) == "degraded below 90.");
  CHECK(explain(level_outlook<level>{.better = level::optimal, .better_after = 20s, .blind = true}) ==
        "optimal is tried after 20 s without evidence.");
  CHECK(explain(level_outlook<level>{}).empty());  // a ladder of one rung
}

TEST_CASE("a feature's mode and its reasons are one line", "[observe]") {
  using brownout::feature_mode;
  using brownout::feature_verdict;
  const auto said = [](const feature_verdict& verdict) { return explain(verdict, name_of); };
  CHECK(said({.mode = feature_mode::full, .allowed_by_level = true}) == "full");
  CHECK(said({.mode = feature_mode::reduced, .allowed_by_level = true}) == "reduced");
  CHECK(said({.mode = feature_mode::off}) == "off: the level does not allow it");
  CHECK(said({.mode = feature_mode::off, .blocked_by = brownout::needs(2)}) ==
        "off: the level does not allow it; redis refuses calls");
  CHECK(said({.mode = feature_mode::off, .allowed_by_level = true, .blocked_by = brownout::needs(0, 1)}) ==
        "off: openai refuses calls; database refuses calls");
  CHECK(said({.mode = feature_mode::off, .allowed_by_level = true, .dimmed = true}) ==
        "off: it is dimmed for this caller");
  CHECK(said({.mode = feature_mode::off, .allowed_by_level = true, .returning = true}) ==
        "off, returning step by step");
}

TEST_CASE("a circuit's change in a system is one line", "[observe]") {
  const brownout::circuit_change opened{
      1, circuit_state::closed, circuit_state::open, {}, "connection refused"};
  CHECK(explain(opened, name_of) == "database: closed -> open (connection refused)");
  const brownout::circuit_change closed{2, circuit_state::half_open, circuit_state::closed, {}, ""};
  CHECK(explain(closed, name_of) == "redis: half_open -> closed");
}
