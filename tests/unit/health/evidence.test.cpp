// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/health/component_score.hpp"

#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using brownout::circuit_state;
using brownout::component_evidence;
using brownout::component_options;
using brownout::component_score;
using brownout::duration;
using brownout::measurement;
using brownout::saturation_budget;

namespace {

constexpr auto no_number = std::numeric_limits<double>::quiet_NaN();
constexpr auto infinity = std::numeric_limits<double>::infinity();

constexpr component_evidence calls(std::uint32_t successes, std::uint32_t of, duration age = 0s) {
  return {.calls = of, .successes = successes, .age = age};
}
constexpr std::optional<double> score_of(measurement measured, component_evidence evidence = {}) {
  evidence.measured = measured;
  return component_score(evidence);
}
component_options with_minimum(std::uint32_t fewest) {
  return {.latency = {}, .saturation = {}, .evidence = {.minimum_calls = fewest}};
}
component_options with_effect(double least) {
  return {.latency = {}, .saturation = {}, .evidence = {.minimum_calls = 1, .minimum_effect = least}};
}

static_assert(score_of({.success_share = 0.25}) == 25);

std::string refusal(const std::function<void(component_options&)>& change) {
  component_options tried;
  change(tried);
  try {
    tried.validate();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("evidence that is too old is none", "[health][H2][H2b]") {
  CHECK(component_score(calls(10, 10, 1min)) == 100);
  CHECK_FALSE(component_score(calls(10, 10, 1min + 1ns)));
  CHECK_FALSE(component_score(calls(0, 10, 1min + 1ns)));  // bad news fade as well
  component_options patient;
  patient.evidence.stale_after = 1h;
  CHECK(component_score(calls(0, 10, 1h), patient) == 0);
  CHECK_FALSE(component_score(calls(0, 10, 1h + 1ns), patient));
  // A circuit's state is no old news.
  for (const auto state : {circuit_state::open, circuit_state::forced_open}) {
    auto evidence = calls(10, 10, 24h);
    evidence.state = state;
    CHECK(component_score(evidence) == 0);
  }
  component_evidence probing{
      .state = circuit_state::half_open, .probes_needed = 2, .probes_succeeded = 1, .age = 24h};
  CHECK(component_score(probing) == 50);
}

TEST_CASE("few calls are filled up with successes, so that one failure is no ruin", "[health][H2][H2f]") {
  CHECK(component_score(calls(1, 2)) == 80);  // as if it had been one of five
  CHECK(component_score(calls(3, 4)) == 80);
  CHECK(component_score(calls(4, 5)) == 80);
  CHECK(component_score(calls(1, 3)) == 60);
  CHECK(component_score(calls(5, 10)) == 50);
  CHECK(component_score(calls(9, 10), with_minimum(100)) == 99);
  CHECK(component_score(calls(1, 2), with_minimum(1)) == 50);
}

TEST_CASE("until one call has succeeded nothing is filled up: that nothing works is no noise",
          "[health][H2]") {
  CHECK(component_score(calls(0, 1)) == 0);
  CHECK(component_score(calls(0, 4), with_minimum(1000)) == 0);
  CHECK(component_score(calls(1, 4), with_minimum(1000)) == Approx(99.7));
}

TEST_CASE("a loss smaller than the least that counts is none, and a greater one counts whole",
          "[health][H2][H2g]") {
  CHECK(component_score(calls(99, 100), with_effect(2)) == 100);
  CHECK(component_score(calls(98, 100), with_effect(2)) == 98);
  CHECK(component_score(calls(90, 100), with_effect(2)) == 90);
  CHECK(component_score(calls(99, 100), with_effect(0)) == 99);
  CHECK(component_score(calls(1, 100), with_effect(100)) == 100);
  CHECK(component_score(calls(0, 100), with_effect(100)) == 0);
  component_evidence open{.state = circuit_state::open};
  CHECK(component_score(open, with_effect(100)) == 0);
  auto measured = calls(100, 100);
  measured.measured.success_share = 0.99;
  CHECK(component_score(measured, with_effect(2)) == 100);
}

TEST_CASE("a measured share of successes is a score by itself", "[health][H1]") {
  CHECK(score_of({.success_share = 1.0}) == 100);
  CHECK(score_of({.success_share = 0.5}) == 50);
  CHECK(score_of({.success_share = 0.0}) == 0);
  CHECK(score_of({.success_share = 1.5}) == 100);
}

TEST_CASE("a measured latency costs what a call's would", "[health][H1]") {
  CHECK(score_of({.latency = 0s}) == 100);
  CHECK(score_of({.latency = 500ms}) == 100);
  CHECK(score_of({.latency = 510ms}) == 99);
  CHECK(score_of({.latency = 1h}) == 0);
}

TEST_CASE("a measured saturation costs from its budget on, and full is a level and not the end",
          "[health][H1]") {
  CHECK(score_of({.saturation = 0.0}) == 100);
  CHECK(score_of({.saturation = 0.8}) == 100);
  CHECK(score_of({.saturation = 0.9}) == Approx(85));
  CHECK(score_of({.saturation = 1.0}) == Approx(70));
  CHECK(score_of({.saturation = 3.0}) == Approx(70));
  constexpr saturation_budget strict{.budget = 0, .when_full = 100};
  CHECK(strict.penalty(0) == 0);
  CHECK(strict.penalty(0.25) == 25);
  CHECK(strict.penalty(1) == 100);
}

TEST_CASE("what is no measurement is no evidence, neither good nor bad", "[health][H2]") {
  for (const double value : {no_number, infinity, -infinity, -0.5}) {
    CHECK_FALSE(score_of({.success_share = value}));
    CHECK_FALSE(score_of({.saturation = value}));
    CHECK(score_of({.success_share = 0.5, .saturation = value}) == 50);
    CHECK(score_of({.success_share = value, .latency = 510ms}) == 99);
  }
  CHECK_FALSE(score_of({.latency = -1ns}));
  CHECK_FALSE(score_of({.latency = duration::min()}));
}

TEST_CASE("what is measured adds up: share, latency and saturation", "[health][H1]") {
  CHECK(score_of({.success_share = 0.9, .latency = 600ms, .saturation = 0.9}) == Approx(90 - 10 - 15));
  CHECK(score_of({.success_share = 0.1, .latency = 1s, .saturation = 1.0}) == 0);  // never below
}

TEST_CASE("of what the calls say and what is measured the worse one counts", "[health][H1][H1e]") {
  CHECK(score_of({.success_share = 0.9}, calls(5, 10)) == 50);
  CHECK(score_of({.success_share = 0.3}, calls(5, 10)) == 30);
  CHECK(score_of({.success_share = 0.3}, calls(0, 10)) == 0);
  CHECK(score_of({}, calls(5, 10)) == 50);  // what says nothing lifts nothing
  CHECK(score_of({.success_share = 0.3}, calls(10, 10, 24h)) == 30);
  CHECK(score_of({.success_share = 1.0}, {.state = circuit_state::open}) == 0);
  CHECK(score_of({.success_share = 0.3},
                 {.state = circuit_state::half_open, .probes_needed = 2, .probes_succeeded = 1}) == 50);
}

TEST_CASE("what a limit refused is scored apart, and the lowest score counts", "[health][H1h]") {
  const auto score_with = [](double refused, component_evidence evidence = {}) {
    evidence.refused = refused;
    return component_score(evidence);
  };
  CHECK(score_with(0.25) == 75);
  CHECK(score_with(1) == 0);
  CHECK(score_with(1.5) == 0);
  for (const auto nothing : {0.0, -1.0, no_number}) CHECK_FALSE(score_with(nothing));
  CHECK(score_with(0.25, calls(8, 10)) == 75);
  CHECK(score_with(0.25, calls(7, 10)) == 70);
  CHECK(score_with(0.25, {.measured = {.success_share = 0.5}}) == 50);
  // A slow dependency that fills its limit is not charged twice.
  CHECK(score_with(0.25, {.calls = 10, .successes = 10, .mean_latency = 700ms}) == 75);
  CHECK(score_with(0.25, {.calls = 10, .successes = 10, .mean_latency = 800ms}) == 70);
  CHECK(score_with(0.25, {.state = circuit_state::half_open, .probes_needed = 2, .probes_succeeded = 1}) ==
        50);
}

TEST_CASE("whatever the evidence, more successes, shorter calls and less load never lower a score",
          "[health][H1]") {
  std::mt19937 random{5};
  const auto below = [&](std::uint32_t end) { return static_cast<std::uint32_t>(random() % end); };
  for (int i = 0; i < 20'000; ++i) {
    component_options policy;
    policy.evidence.minimum_calls = 1 + below(30);
    policy.evidence.minimum_effect = below(3) == 0 ? below(30) : 0;
    const auto of = 1 + below(20);
    auto evidence = calls(below(of + 1), of, below(4) == 0 ? 2min : 0s);
    evidence.mean_latency = std::chrono::milliseconds{below(1500)};
    if (below(2) == 0) evidence.measured.success_share = below(101) / 100.0;
    if (below(2) == 0) evidence.measured.latency = std::chrono::milliseconds{below(1500)};
    if (below(2) == 0) evidence.measured.saturation = below(120) / 100.0;
    const auto before = component_score(evidence, policy);
    auto better = evidence;
    better.successes = std::min(better.successes + below(3), of);
    better.mean_latency -= std::chrono::milliseconds{below(300)};
    auto& [share, latency, saturation] = better.measured;
    if (share) *share += below(30) / 100.0;
    // Never below none: that would be no measurement.
    if (latency) latency = std::max<duration>(*latency - std::chrono::milliseconds{below(300)}, 0s);
    if (saturation) saturation = std::max(*saturation - below(30) / 100.0, 0.0);
    const auto after = component_score(better, policy);
    REQUIRE(before.has_value() == after.has_value());
    if (!before) continue;
    REQUIRE(*after >= *before);
    REQUIRE(*before >= 0);
    REQUIRE(*after <= 100);
  }
}

TEST_CASE("an evidence policy outside its ranges is refused", "[health][options]") {
  CHECK(refusal([](component_options&) {}) == "");
  CHECK(refusal([](component_options& p) { p.evidence.stale_after = 1ms; }) == "");
  CHECK(refusal([](component_options& p) { p.evidence.stale_after = 168h; }) == "");
  CHECK(refusal([](component_options& p) { p.evidence.stale_after = 999us; }) ==
        "evidence_options.stale_after = 999us: allowed is 1ms to 168h");
  CHECK(refusal([](component_options& p) { p.evidence.stale_after = 169h; }) ==
        "evidence_options.stale_after = 169h: allowed is 1ms to 168h");
  CHECK(refusal([](component_options& p) { p.evidence.minimum_calls = 1000; }) == "");
  CHECK(refusal([](component_options& p) { p.evidence.minimum_calls = 0; }) ==
        "evidence_options.minimum_calls = 0: allowed is 1 to 1000");
  CHECK(refusal([](component_options& p) { p.evidence.minimum_calls = 1001; }) ==
        "evidence_options.minimum_calls = 1001: allowed is 1 to 1000");
  CHECK(refusal([](component_options& p) { p.evidence.minimum_effect = -0.5; }) ==
        "evidence_options.minimum_effect = -0.5: allowed is 0 to 100");
  CHECK(refusal([](component_options& p) { p.evidence.minimum_effect = no_number; }) ==
        "evidence_options.minimum_effect = nan: allowed is 0 to 100");
  CHECK(refusal([](component_options& p) { p.saturation = {.budget = 0, .when_full = 0}; }) == "");
  CHECK(refusal([](component_options& p) { p.saturation = {.budget = 0.99, .when_full = 100}; }) == "");
  CHECK(refusal([](component_options& p) { p.saturation.budget = 1; }) ==
        "saturation_budget.budget = 1: allowed is 0 to 0.99");
  CHECK(refusal([](component_options& p) { p.saturation.budget = no_number; }) ==
        "saturation_budget.budget = nan: allowed is 0 to 0.99");
  CHECK(refusal([](component_options& p) { p.saturation.when_full = 101; }) ==
        "saturation_budget.when_full = 101: allowed is 0 to 100");
  CHECK(refusal([](component_options& p) { p.latency.per_point = 0s; }) ==
        "latency_budget.per_point = 0s: allowed is 1us to 1h");
}
