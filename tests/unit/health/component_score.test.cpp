// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/health/component_score.hpp"

#include <chrono>
#include <stdexcept>

using namespace std::chrono_literals;
using brownout::circuit_state;
using brownout::component_evidence;
using brownout::component_options;
using brownout::component_score;
using brownout::duration;
using brownout::latency_budget;

namespace {

/// The plain share of successes, however few the calls.
constexpr component_options plain(latency_budget latency = {}) {
  return {.latency = latency, .saturation = {}, .evidence = {.minimum_calls = 1}};
}
constexpr std::optional<double> score_of(const component_evidence& evidence) {
  return component_score(evidence, plain());
}
constexpr component_evidence measured(std::uint32_t successes, std::uint32_t calls, duration latency = 0s) {
  return {.calls = calls, .successes = successes, .mean_latency = latency};
}
constexpr component_evidence probing(std::uint32_t succeeded, std::uint32_t needed) {
  return {.state = circuit_state::half_open, .probes_needed = needed, .probes_succeeded = succeeded};
}

static_assert(score_of(measured(20, 20)) == 100);

}  // namespace

TEST_CASE("a closed circuit scores its share of successes", "[health][H1][H1c]") {
  CHECK(score_of(measured(20, 20)) == 100);
  CHECK(score_of(measured(15, 20)) == 75);
  CHECK(score_of(measured(1, 20)) == 5);
  CHECK(score_of(measured(0, 20)) == 0);
  CHECK(score_of(measured(1, 3)) == Approx(100.0 / 3));
}

TEST_CASE("latency costs a point for each 10 ms above half a second", "[health][H1][H1d]") {
  CHECK(score_of(measured(10, 10, 500ms)) == 100);
  CHECK(*score_of(measured(10, 10, 500ms + 1ns)) < 100);
  CHECK(score_of(measured(10, 10, 510ms)) == 99);
  CHECK(score_of(measured(10, 10, 515ms)) == 98.5);
  CHECK(score_of(measured(10, 10, 1s)) == 50);
  CHECK(score_of(measured(5, 10, 1s)) == 0);
  CHECK(score_of(measured(10, 10, 1500ms)) == 0);
  CHECK(score_of(measured(10, 10, 1h)) == 0);  // never below
}

TEST_CASE("budget and price of latency can be set", "[health][H1]") {
  constexpr latency_budget strict{.budget = 10ms, .per_point = 1ms};
  CHECK(component_score(measured(10, 10, 10ms), plain(strict)) == 100);
  CHECK(component_score(measured(10, 10, 25ms), plain(strict)) == 85);
  constexpr latency_budget none{.budget = 0s, .per_point = 1h};
  CHECK(component_score(measured(10, 10, 0s), plain(none)) == 100);
}

TEST_CASE("an open circuit scores 0, whatever was measured", "[health][H1][H1a]") {
  for (const auto state : {circuit_state::open, circuit_state::forced_open}) {
    auto evidence = measured(20, 20);
    evidence.state = state;
    CHECK(score_of(evidence) == 0);
    evidence.calls = 0;
    CHECK(score_of(evidence) == 0);
  }
}

TEST_CASE("half-open scores the share of the needed probes that have succeeded", "[health][H1][H1b]") {
  CHECK(score_of(probing(0, 1)) == 0);
  CHECK(score_of(probing(0, 2)) == 0);
  CHECK(score_of(probing(1, 2)) == 50);
  CHECK(score_of(probing(3, 4)) == 75);
  CHECK(score_of(probing(2, 2)) == 100);
  CHECK(score_of(probing(3, 2)) == 100);
  CHECK(score_of(probing(0, 0)) == 0);

  auto with_history = probing(0, 2);  // what was measured before says nothing now
  with_history.calls = with_history.successes = 20;
  CHECK(score_of(with_history) == 0);
}

TEST_CASE("without evidence the score is unknown, not good", "[health][H2][H2a]") {
  CHECK_FALSE(score_of(measured(0, 0)));
  for (const auto state : {circuit_state::disabled, circuit_state::metrics_only}) {
    auto evidence = measured(0, 0);
    evidence.state = state;
    CHECK_FALSE(score_of(evidence));
    evidence.calls = evidence.successes = 2;
    CHECK(score_of(evidence) == 100);
  }
}

TEST_CASE("a latency budget outside its range is refused", "[health][options]") {
  CHECK_NOTHROW(latency_budget{}.validate());
  CHECK_NOTHROW((latency_budget{.budget = 0s, .per_point = 1us}.validate()));
  CHECK_NOTHROW((latency_budget{.budget = 1h, .per_point = 1h}.validate()));
  CHECK_THROWS_WITH((latency_budget{.budget = -1ms}.validate()),
                    "latency_budget.budget = -1ms: allowed is 0s to 1h");
  CHECK_THROWS_WITH((latency_budget{.budget = 1h + 1s}.validate()),
                    "latency_budget.budget = 1h1s: allowed is 0s to 1h");
  CHECK_THROWS_WITH((latency_budget{.per_point = 0s}.validate()),
                    "latency_budget.per_point = 0s: allowed is 1us to 1h");
  CHECK_THROWS_WITH((latency_budget{.per_point = 999ns}.validate()),
                    "latency_budget.per_point = 999ns: allowed is 1us to 1h");
  CHECK_THROWS_AS((latency_budget{.per_point = 2h}.validate()), std::invalid_argument);
}
