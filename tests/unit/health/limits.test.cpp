// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/health/scorer.hpp"

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using brownout::circuit_state;
using brownout::component_evidence;
using brownout::component_role;
using brownout::criticality;
using brownout::score_limit;
using brownout::scorer;
using brownout::scorer_options;
using brownout::weighting;

namespace {

constexpr component_evidence well{.calls = 10, .successes = 10};
constexpr component_evidence unknown{};
constexpr component_evidence scoring(std::uint32_t score) {
  return {.calls = 100, .successes = score};
}
constexpr component_evidence broken{.state = circuit_state::open};

component_role optional(double weight) {
  return {.weight = weight, .criticality = criticality::optional};
}
component_role standard(double weight) {
  return {.weight = weight};
}
component_role required(double weight) {
  return {.weight = weight, .criticality = criticality::required};
}

brownout::health_report score(std::vector<component_role> roles, std::vector<component_evidence> evidence,
                              scorer_options options = {}) {
  return scorer{std::move(roles), options}.score(evidence);
}

}  // namespace

TEST_CASE("by the minimum the system is as well as its sickest part, as far as that matters",
          "[health][H1][H1g]") {
  const scorer_options minimum{.combine = weighting::minimum};
  const auto seen =
      score({standard(4), standard(2), standard(1)}, {scoring(90), scoring(60), broken}, minimum);
  CHECK(seen.components[0].lost == Approx(10));
  CHECK(seen.components[1].lost == Approx(20));
  CHECK(seen.components[2].lost == Approx(25));
  CHECK(seen.score == 75);
  CHECK(seen.before_limits == 75);
  CHECK(score({standard(4), standard(2)}, {broken, well}, minimum).score == 0);
  CHECK(score({standard(4), standard(2)}, {well, broken}, minimum).score == 50);
  // One trouble more does not add up, as it does in the mean.
  CHECK(score({standard(1), standard(1)}, {scoring(50), scoring(50)}, minimum).score == 50);
  CHECK(score({standard(1), standard(1)}, {scoring(50), well}, minimum).score == 50);
  CHECK(score({standard(1), standard(1)}, {scoring(50), well}).score == 75);
}

TEST_CASE("how an unknown dependency counts is the owner's choice", "[health][H2][H2d]") {
  const std::vector roles{standard(1), standard(1), standard(2)};
  const std::vector evidence{well, scoring(50), unknown};
  const auto counted_as = [&](std::optional<double> as, weighting combine = weighting::mean) {
    return score(roles, evidence, {.combine = combine, .unknown_as = as});
  };
  CHECK(counted_as({}).score == 75);
  CHECK(counted_as(0).score == 37.5);
  CHECK(counted_as(100).score == 87.5);
  CHECK(counted_as(0, weighting::minimum).score == 0);
  CHECK(counted_as(40).components[2].weight == 0.5);
  CHECK(counted_as(40).components[2].points == 20);
  CHECK(counted_as(40).components[2].lost == 30);
  CHECK_FALSE(counted_as(40).components[2].score);
  CHECK(counted_as(40).known_share == 0.5);  // it is no better known for being counted
}

TEST_CASE("a score needs half of the weight to be known", "[health][H2][H2e]") {
  const auto half = score({standard(1), standard(1)}, {scoring(80), unknown});
  CHECK(half.score == 80);
  CHECK(half.limit == score_limit::none);
  CHECK(half.known_share == 0.5);
  const auto thin = score({standard(1), standard(1.01)}, {scoring(80), unknown});
  CHECK_FALSE(thin.score);
  CHECK(thin.limit == score_limit::thin_evidence);
  CHECK(thin.before_limits == 80);  // for people
  CHECK(thin.components[0].points == 80);
  // Ten tenths are a whole, and five are half of it.
  std::vector<component_evidence> evidence(10, unknown);
  for (std::size_t i = 0; i < 5; ++i) evidence[2 * i] = well;
  CHECK(score(std::vector(10, standard(0.1)), evidence).score == 100);
  CHECK(score({standard(0.05), standard(0.1), standard(0.15)}, {unknown, unknown, well}).score == 100);
}

TEST_CASE("how much must be known can be set", "[health][H2]") {
  const std::vector roles{standard(1), standard(9)};
  const std::vector evidence{scoring(80), unknown};
  CHECK(score(roles, evidence, {.minimum_known = 0.1}).score == 80);
  CHECK_FALSE(score(roles, evidence, {.minimum_known = 0.11}).score);
  CHECK(score(roles, evidence, {.minimum_known = 0}).score == 80);
  CHECK_FALSE(score(roles, {unknown, unknown}, {.minimum_known = 0}).score);
  CHECK(score(roles, {unknown, unknown}, {.minimum_known = 0}).limit == score_limit::thin_evidence);
  CHECK_FALSE(score(roles, {unknown, unknown}, {.minimum_known = 0}).before_limits);
  CHECK(score(roles, {unknown, unknown}, {.unknown_as = 30, .minimum_known = 0}).score == 30);
  CHECK(score(roles, {unknown, unknown}, {.unknown_as = 30, .minimum_known = 1}).score == 30);
  CHECK_FALSE(score(roles, {well, unknown}, {.minimum_known = 1}).score);
  CHECK(score(roles, {well, well}, {.minimum_known = 1}).score == 100);
}

TEST_CASE("the system is never better than a required dependency", "[health][H3][H3a]") {
  const auto capped = score({standard(99), required(1)}, {well, scoring(40)});
  CHECK(capped.before_limits == 99.4);
  CHECK(capped.score == 40);
  CHECK(capped.limit == score_limit::required);
  CHECK(capped.limited_by == 1);
  // The worst of several.
  const auto worst = score({required(1), required(1), required(1), standard(7)},
                           {scoring(60), scoring(30), scoring(50), well});
  CHECK(worst.score == 30);
  CHECK(worst.limited_by == 1);
  // As good as the rest is no limit.
  CHECK(score({required(1)}, {scoring(40)}).limit == score_limit::none);
  // It takes down and lifts nothing.
  const auto others = score({standard(9), required(1)}, {broken, well});
  CHECK(others.score == 10);
  CHECK(others.limit == score_limit::none);
  // Unknown, it says nothing, unless the owner says what that counts as.
  CHECK(score({standard(9), required(1)}, {well, unknown}).score == 100);
  CHECK(score({standard(9), required(1)}, {well, unknown}, {.unknown_as = 20}).score == 20);
  CHECK(score({standard(9), required(0)}, {well, broken}).score == 0);
}

TEST_CASE("optional dependencies alone take the score to a floor and no further", "[health][H3]") {
  const scorer_options floor{.optional_floor = 60};
  const auto held = score({optional(9), standard(1)}, {broken, well}, floor);
  CHECK(held.before_limits == 10);
  CHECK(held.score == 60);
  CHECK(held.limit == score_limit::optional);
  CHECK(score({optional(1), standard(9)}, {broken, well}, floor).score == 90);  // it is not reached
  CHECK(score({optional(1), standard(9)}, {broken, well}, floor).limit == score_limit::none);
  CHECK(score({optional(9), optional(1)}, {broken, broken}, floor).score == 60);
  CHECK(score({optional(9), standard(1)}, {broken, well}).score == 10);  // without a floor

  // What the others lose they lose, with the weight that they have.
  CHECK(score({optional(4), standard(6)}, {broken, scoring(50)}, floor).score == 60);  // 70 without it
  CHECK(score({optional(4), standard(6)}, {broken, scoring(30)}, floor).score == 58);  // 100 - 0.6 x 70
  CHECK(score({optional(4), standard(6)}, {broken, broken}, floor).score == 40);
  CHECK(score({optional(4), standard(6)}, {well, broken}, floor).score == 40);
  CHECK(score({optional(4), standard(6)}, {well, broken}, floor).limit == score_limit::none);
  CHECK(score({standard(4), standard(6)}, {broken, broken}, floor).score == 0);
}

TEST_CASE("by the minimum, too, optional ones stop at the floor", "[health][H3]") {
  const scorer_options floor{.combine = weighting::minimum, .optional_floor = 60};
  CHECK(score({optional(2), standard(2)}, {broken, well}, floor).score == 60);
  CHECK(score({optional(2), standard(2)}, {broken, scoring(40)}, floor).score == 40);
  CHECK(score({optional(2), standard(1), standard(1)}, {broken, scoring(10), scoring(20)}, floor).score ==
        55);
  CHECK(score({optional(1), standard(2)}, {broken, broken}, floor).score == 0);
}

TEST_CASE("the cap of a required one wins over the floor of optional ones", "[health][H3]") {
  const auto seen = score({optional(9), required(1)}, {broken, scoring(20)}, {.optional_floor = 60});
  CHECK(seen.score == 20);
  CHECK(seen.limit == score_limit::required);
  CHECK(seen.limited_by == 1);
  const auto well_enough = score({optional(9), required(1)}, {broken, scoring(80)}, {.optional_floor = 60});
  CHECK(well_enough.score == 60);
  CHECK(well_enough.limit == score_limit::optional);
}

TEST_CASE("a report that is used again says nothing of the time before", "[health][H4]") {
  const scorer system{{optional(9), required(1)}, {.optional_floor = 60}};
  brownout::health_report report;
  system.score(std::vector{broken, broken}, report);
  REQUIRE(report.limit == score_limit::required);
  system.score(std::vector{well, unknown}, report);
  CHECK(report.limit == score_limit::none);
  CHECK(report.score == 100);
  CHECK(report.components[1].points == 0);
  CHECK(report.components[1].lost == 0);
  CHECK(report.known_share == Approx(0.9));
  system.score(std::vector{unknown, unknown}, report);
  CHECK(report.limit == score_limit::thin_evidence);
  CHECK_FALSE(report.score);
  CHECK_FALSE(report.before_limits);
  CHECK(report.known_share == 0);
}

TEST_CASE("scorer options outside their ranges are refused", "[health][options]") {
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto refusal = [](scorer_options tried) {
    try {
      const scorer built{{standard(1)}, tried};
    } catch (const std::invalid_argument& error) {
      return std::string{error.what()};
    }
    return std::string{};
  };
  CHECK(refusal({.unknown_as = 0, .minimum_known = 0, .optional_floor = 0, .cascade = 0}) == "");
  CHECK(refusal({.unknown_as = 100, .minimum_known = 1, .optional_floor = 100, .cascade = 1}) == "");
  CHECK(refusal({.unknown_as = -1}) == "scorer_options.unknown_as = -1: allowed is 0 to 100");
  CHECK(refusal({.unknown_as = nan}) == "scorer_options.unknown_as = nan: allowed is 0 to 100");
  CHECK(refusal({.minimum_known = 1.5}) == "scorer_options.minimum_known = 1.5: allowed is 0 to 1");
  CHECK(refusal({.minimum_known = nan}) == "scorer_options.minimum_known = nan: allowed is 0 to 1");
  CHECK(refusal({.optional_floor = 100.5}) == "scorer_options.optional_floor = 100.5: allowed is 0 to 100");
  CHECK(refusal({.cascade = -0.5}) == "scorer_options.cascade = -0.5: allowed is 0 to 1");
  CHECK(refusal({.component = {.evidence = {.minimum_calls = 0}}}) ==
        "evidence_options.minimum_calls = 0: allowed is 1 to 1000");
}

TEST_CASE("every limit and every criticality has a name", "[health]") {
  CHECK(to_string(score_limit::none) == "none");
  CHECK(to_string(score_limit::required) == "required");
  CHECK(to_string(score_limit::optional) == "optional");
  CHECK(to_string(score_limit::thin_evidence) == "thin_evidence");
  CHECK(to_string(static_cast<score_limit>(99)) == "invalid");
  CHECK(to_string(criticality::optional) == "optional");
  CHECK(to_string(criticality::standard) == "standard");
  CHECK(to_string(criticality::required) == "required");
  CHECK(to_string(static_cast<criticality>(99)) == "invalid");
}
