// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"

#include "brownout/health/scorer.hpp"

#include <chrono>
#include <csignal>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brownout::circuit_state;
using brownout::component_evidence;
using brownout::scorer;

namespace {

constexpr component_evidence well{.calls = 10, .successes = 10};
constexpr component_evidence half_well{.calls = 10, .successes = 5};
constexpr component_evidence broken{.state = circuit_state::open};
constexpr component_evidence unknown{};

/// A scorer of dependencies that differ by their weights only. The plain share of successes.
scorer weighted(std::vector<double> weights, brownout::scorer_options options = {}) {
  std::vector<brownout::component_role> roles;
  for (const double weight : weights) roles.push_back({.weight = weight});
  options.component.evidence.minimum_calls = 1;
  return scorer{std::move(roles), options};
}

std::string refusal(std::vector<double> weights, brownout::scorer_options options = {}) {
  try {
    static_cast<void>(weighted(std::move(weights), options));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

brownout::health_report score(const scorer& system, std::vector<component_evidence> evidence) {
  return system.score(evidence);
}

}  // namespace

TEST_CASE("the system's score is the weighted mean of its components'", "[health][H1][H1f]") {
  const auto system = weighted({0.5, 0.3, 0.15, 0.05});
  CHECK(score(system, {well, well, well, well}).score == 100);
  CHECK(score(system, {broken, broken, broken, broken}).score == 0);
  CHECK(score(system, {half_well, well, well, well}).score == 75);
  CHECK(score(system, {well, broken, well, half_well}).score == 67.5);
}

TEST_CASE("weights are relative", "[health][H1][H1f]") {
  const auto system = weighted({10, 6, 3, 1});
  CHECK(system.weight(0) == Approx(0.5));
  CHECK(system.weight(3) == Approx(0.05));
  CHECK(score(system, {broken, well, well, well}).score == 50);
  CHECK(score(weighted({7}), {half_well}).score == 50);
  CHECK(score(weighted({1, 0}), {well, broken}).score == 100);
}

TEST_CASE("every score explains itself", "[health][H4][H4a]") {
  const auto system = weighted({0.5, 0.3, 0.2});
  const auto report = score(system, {half_well, well, broken});
  REQUIRE(report.components.size() == 3);
  CHECK(report.components[0].score == 50);
  CHECK(report.components[0].weight == Approx(0.5));
  CHECK(report.components[0].points == Approx(25));
  CHECK(report.components[1].points == Approx(30));
  CHECK(report.components[2].score == 0);
  CHECK(report.components[2].weight == Approx(0.2));
  CHECK(report.components[2].points == 0);
  CHECK(report.score == 55);
}

TEST_CASE("an unknown component takes its weight out of the mean", "[health][H2][H2d]") {
  const auto system = weighted({0.5, 0.3, 0.2});
  const auto report = score(system, {unknown, well, broken});
  CHECK(report.score == 60);
  CHECK_FALSE(report.components[0].score);
  CHECK(report.components[0].weight == 0);
  CHECK(report.components[0].points == 0);
  CHECK(report.components[1].weight == Approx(0.6));
  CHECK(report.components[1].points == Approx(60));

  CHECK_FALSE(score(system, {unknown, unknown, unknown}).score);
  CHECK(score(system, {unknown, unknown, unknown}).components.size() == 3);
  CHECK_FALSE(score(weighted({1, 0}), {unknown, well}).score);  // all that is known weighs nothing
}

TEST_CASE("sums of weights that are no binary fractions meet a threshold exactly", "[health][H1]") {
  const auto system = weighted({0.50, 0.30, 0.15, 0.05});
  CHECK(score(system, {well, broken, well, well}).score == 70);
  CHECK(score(system, {broken, well, well, broken}).score == 45);
  CHECK(score(system, {broken, broken, broken, well}).score == 5);
  const auto tenths = weighted(std::vector<double>(10, 0.1));
  std::vector<component_evidence> evidence(10, well);
  for (std::size_t down = 0; down < 10; ++down) {
    CHECK(score(tenths, evidence).score == 100.0 - 10.0 * static_cast<double>(down));
    evidence[down] = broken;
  }
}

TEST_CASE("whatever the evidence, the points sum to the score, and the score lies between 0 and 100",
          "[health][H4]") {
  std::mt19937 random{11};
  for (int i = 0; i < 500; ++i) {
    std::vector<double> weights;
    std::vector<component_evidence> evidence;
    for (std::size_t n = 1 + random() % 6; n > 0; --n) {
      weights.push_back(1 + static_cast<double>(random() % 1000));
      const auto calls = static_cast<std::uint32_t>(random() % 21);
      evidence.push_back({.state = static_cast<circuit_state>(random() % 6),
                          .calls = calls,
                          .successes = calls == 0 ? 0 : static_cast<std::uint32_t>(random() % (calls + 1)),
                          .mean_latency = std::chrono::milliseconds{random() % 2000},
                          .probes_needed = 3,
                          .probes_succeeded = static_cast<std::uint32_t>(random() % 3)});
    }
    const auto report = weighted(weights).score(evidence);
    double points = 0;
    double weight = 0;
    for (const auto& component : report.components) {
      points += component.points;
      weight += component.weight;
    }
    if (!report.score) {
      REQUIRE(report.limit == brownout::score_limit::thin_evidence);
      REQUIRE(report.known_share < 0.5);
      continue;
    }
    REQUIRE(*report.score >= 0);
    REQUIRE(*report.score <= 100);
    REQUIRE(points == Approx(*report.score).margin(1e-6));
    REQUIRE(weight == Approx(1));
  }
}

TEST_CASE("weights that can't be are refused", "[health][options]") {
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  CHECK(refusal({0, 1}) == "");
  CHECK(refusal({1, 1e9}) == "");
  CHECK(refusal({1, -0.5}) == "scorer.weights[1] = -0.5: allowed is 0 to 1000000000");
  CHECK(refusal({nan}) == "scorer.weights[0] = nan: allowed is 0 to 1000000000");
  CHECK(refusal({1, 2, infinity}) == "scorer.weights[2] = inf: allowed is 0 to 1000000000");
  CHECK(refusal({-infinity}) != "");
  CHECK(refusal({1e9 + 1}) != "");
  CHECK(refusal({0, 0}) == "sum of scorer.weights = 0: allowed is above 0");
  CHECK(refusal({}) == "sum of scorer.weights = 0: allowed is above 0");
  CHECK(refusal({1}, {.component = {.latency = {.per_point = 0s}}}) != "");
}

TEST_CASE("evidence for other components than there are is a broken precondition", "[health]") {
  const auto system = weighted({1, 1});
  CHECK(core_test::in_child([&] { static_cast<void>(score(system, {well})); }).signal == SIGABRT);
}
