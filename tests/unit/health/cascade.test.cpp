// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/health/scorer.hpp"

#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

using brownout::circuit_state;
using brownout::component_evidence;
using brownout::component_role;
using brownout::scorer;
using brownout::scorer_options;

namespace {

constexpr component_evidence well{.calls = 10, .successes = 10};
constexpr component_evidence unknown{};
constexpr component_evidence broken{.state = circuit_state::open};
constexpr component_evidence scoring(std::uint32_t score) {
  return {.calls = 100, .successes = score};
}

/// Components of one weight; `stands_on[i]` are those that the i-th depends on.
scorer linked(std::vector<std::vector<std::size_t>> stands_on, scorer_options options = {}) {
  std::vector<component_role> roles;
  for (auto& others : stands_on) roles.push_back({.depends_on = std::move(others)});
  return scorer{std::move(roles), options};
}

brownout::health_report score(const scorer& system, std::vector<component_evidence> evidence) {
  return system.score(evidence);
}

std::string refusal(std::vector<std::vector<std::size_t>> stands_on) {
  try {
    static_cast<void>(linked(std::move(stands_on)));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("what stands on a dependency that is out is trusted half", "[health][H1][H3][H3c]") {
  const auto system = linked({{}, {0}});
  const auto seen = score(system, {broken, well});
  CHECK(seen.components[0].trust == 1);
  CHECK(seen.components[1].own_score == 100);
  CHECK(seen.components[1].trust == 0.5);
  CHECK(seen.components[1].score == 50);
  CHECK(seen.components[1].points == 25);
  CHECK(seen.components[1].lost == 25);
  CHECK(seen.score == 25);
  CHECK(score(system, {scoring(60), well}).components[1].trust == Approx(0.8));
  CHECK(score(system, {scoring(60), scoring(50)}).components[1].score == Approx(40));
  CHECK(score(system, {well, broken}).components[0].score == 100);  // not the other way round
}

TEST_CASE("how much less it is trusted can be set", "[health][H1]") {
  CHECK(score(linked({{}, {0}}, {.cascade = 0}), {broken, well}).components[1].score == 100);
  CHECK(score(linked({{}, {0}}, {.cascade = 1}), {broken, well}).components[1].score == 0);
  CHECK(score(linked({{}, {0}}, {.cascade = 1}), {scoring(30), well}).components[1].score == Approx(30));
}

TEST_CASE("doubt goes down a chain, and each link takes its part", "[health][H1]") {
  for (const auto& system : {linked({{}, {0}, {1}}), linked({{}, {0}, {1, 0}}), linked({{}, {0}, {1, 1}})}) {
    const auto seen = score(system, {broken, well, well});
    CHECK(seen.components[1].score == 50);
    // On what scores 50 it stands less safely; standing on the dead one as well counts once, and more.
    CHECK(seen.components[2].score ==
          (system.roles()[2].depends_on == std::vector<std::size_t>{1, 0} ? 50 : 75));
  }
  // Whatever the order in which they are listed.
  const auto backwards = score(linked({{1}, {2}, {}}), {well, well, broken});
  CHECK(backwards.components[1].score == 50);
  CHECK(backwards.components[0].score == 75);
  CHECK(score(linked({{1}, {2}, {}}), {well, scoring(50), broken}).components[0].score == Approx(62.5));
}

TEST_CASE("of two bases the worse one counts, and not both", "[health][H1]") {
  const auto diamond = linked({{}, {0}, {0}, {1, 2}});
  const auto seen = score(diamond, {broken, well, well, well});
  CHECK(seen.components[1].score == 50);
  CHECK(seen.components[2].score == 50);
  CHECK(seen.components[3].trust == 0.75);
  CHECK(score(diamond, {well, scoring(40), scoring(80), well}).components[3].trust == Approx(0.7));
  CHECK(score(linked({{}, {}, {0, 1}}), {broken, broken, well}).components[2].trust == 0.5);
}

TEST_CASE("an unknown base says nothing, whatever unknown counts as, and an unknown dependant stays so",
          "[health][H2]") {
  CHECK(score(linked({{}, {0}}), {unknown, well}).components[1].trust == 1);
  CHECK(score(linked({{}, {0}}, {.unknown_as = 0}), {unknown, well}).components[1].trust == 1);
  const auto seen = score(linked({{}, {0}}), {broken, unknown});
  CHECK_FALSE(seen.components[1].score);
  CHECK_FALSE(seen.components[1].own_score);
  CHECK(seen.components[1].trust == 1);
  // Nothing passes through what is unknown.
  CHECK(score(linked({{}, {0}, {1}}), {broken, unknown, well}).components[2].trust == 1);
}

TEST_CASE("a required dependency caps at what it is trusted with", "[health][H3]") {
  const scorer system{
      {{.weight = 1}, {.weight = 9, .criticality = brownout::criticality::required, .depends_on = {0}}}};
  const auto seen = score(system, {broken, well});
  CHECK(seen.before_limits == 45);
  CHECK(seen.score == 45);
  const auto less = score(system, {well, scoring(30)});
  CHECK(less.score == 30);
  CHECK(less.limit == brownout::score_limit::required);
}

TEST_CASE("a circle of dependencies, or one that there is not, is refused", "[health][options][H3][H3d]") {
  const std::string circle =
      ": allowed is a component that does not depend on itself, also not through others";
  CHECK(refusal({{}, {0}, {0, 1}}) == "");
  CHECK(refusal({{0}}) == "scorer.depends_on of component 0 = a cycle" + circle);
  CHECK(refusal({{1}, {0}}) == "scorer.depends_on of component 0 = a cycle" + circle);
  CHECK(refusal({{}, {0, 3}, {1}, {2}}) == "scorer.depends_on of component 1 = a cycle" + circle);
  CHECK(refusal({{}, {2}}) == "scorer.depends_on of component 1 = 2: allowed is 0 to 1");
  CHECK(refusal({{1}}) == "scorer.depends_on of component 0 = 1: allowed is 0 to 0");
  // A long chain is none.
  std::vector<std::vector<std::size_t>> chain;
  for (std::size_t i = 0; i < 32; ++i)
    chain.push_back(i == 31 ? std::vector<std::size_t>{} : std::vector{i + 1});
  CHECK(refusal(chain) == "");
  chain[31].push_back(5);
  CHECK(refusal(chain) != "");
}
