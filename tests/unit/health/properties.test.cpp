// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/health/scorer.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

using brownout::circuit_state;
using brownout::component_evidence;
using brownout::component_role;
using brownout::contribution;
using brownout::criticality;
using brownout::health_report;
using brownout::score_limit;
using brownout::scorer;
using brownout::scorer_options;
using brownout::weighting;

namespace {

/// Random systems and random evidence: the same for the same seed.
class any_system {
 public:
  explicit any_system(std::uint32_t seed) : random_{seed} {}

  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

  std::vector<component_role> roles() {
    std::vector<component_role> made(1 + below(8));
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i].weight = below(5) == 0 ? 0 : 1 + below(100);
      made[i].criticality = static_cast<criticality>(below(3));
      // On an earlier one, so that there is no cycle, and on no optional one: that is no part of what it
      // would lose by itself.
      for (std::size_t base = 0; base < i; ++base) {
        if (below(6) == 0 && made[base].criticality != criticality::optional)
          made[i].depends_on.push_back(base);
      }
    }
    made[0].weight += 1;
    return made;
  }
  scorer_options options() {
    scorer_options made;
    made.combine = below(2) == 0 ? weighting::mean : weighting::minimum;
    if (below(3) == 0) made.unknown_as = below(101);
    made.minimum_known = below(3) == 0 ? 0 : below(101) / 100.0;
    made.optional_floor = below(2) == 0 ? 0 : below(101);
    made.cascade = below(101) / 100.0;
    return made;
  }
  component_evidence evidence() {
    if (below(6) == 0) return {};
    if (below(8) == 0) return {.state = circuit_state::open};
    if (below(8) == 0)
      return {.state = circuit_state::half_open, .probes_needed = 4, .probes_succeeded = below(4)};
    return {.calls = 100, .successes = below(101), .mean_latency = std::chrono::milliseconds{below(900)}};
  }
  std::vector<component_evidence> evidence_of(std::size_t count) {
    std::vector<component_evidence> made(count);
    for (auto& one : made) one = evidence();
    return made;
  }
  /// The same, or better in some way; never unknown, nor known where it was not.
  component_evidence better(component_evidence than) {
    if (than.calls == 0 && than.state == circuit_state::closed) return than;
    if (than.state == circuit_state::half_open) {
      than.probes_succeeded = std::min(than.probes_succeeded + below(3), than.probes_needed);
    } else if (than.state == circuit_state::open) {
      if (below(2) == 0) than = {.calls = 100, .successes = below(101)};
    } else {
      than.successes = std::min(than.successes + below(30), than.calls);
      than.mean_latency = than.mean_latency * below(101) / 100;
    }
    return than;
  }

 private:
  std::mt19937 random_;
};

template <class Check>
void on_any_system(Check check) {
  for (std::uint32_t seed = 0; seed < 4000; ++seed) {
    INFO("seed " << seed);
    any_system random{seed};
    const scorer system{random.roles(), random.options()};
    for (int i = 0; i < 10; ++i) {
      const auto evidence = random.evidence_of(system.roles().size());
      check(random, system, evidence, system.score(evidence));
    }
  }
}

template <class Of>
double sum(const health_report& report, Of of) {
  double total = 0;
  for (const auto& one : report.components) total += of(one);
  return total;
}

}  // namespace

TEST_CASE("whatever the system, its score explains itself", "[health][exhaustive][H4]") {
  std::size_t scored = 0;
  on_any_system([&](any_system&, const scorer& system, const auto&, const health_report& report) {
    double known = 0;
    double greatest_loss = 0;
    for (std::size_t i = 0; i < report.components.size(); ++i) {
      const auto& one = report.components[i];
      REQUIRE(one.score.has_value() == one.own_score.has_value());
      REQUIRE((one.trust >= 0 && one.trust <= 1));
      REQUIRE((one.lost >= 0 && one.lost <= 100));
      if (one.score) {
        REQUIRE(*one.score == Approx(*one.own_score * one.trust));
        known += system.weight(i);
      }
      const auto counted = one.score ? one.score : system.options().unknown_as;
      if (!counted) REQUIRE((one.weight == 0 && one.points == 0 && one.lost == 0));
      if (counted && report.before_limits) REQUIRE(one.points == Approx(one.weight * *counted));
      greatest_loss = std::max(greatest_loss, one.lost);
    }
    REQUIRE(report.known_share == Approx(known).margin(1e-9));
    if (!report.before_limits) return;
    ++scored;
    REQUIRE(sum(report, [](const contribution& one) { return one.weight; }) == Approx(1));
    if (system.options().combine == weighting::mean) {
      REQUIRE(sum(report, [](const contribution& one) { return one.points; }) ==
              Approx(*report.before_limits).margin(1e-6));
      REQUIRE(sum(report, [](const contribution& one) { return one.lost; }) ==
              Approx(100 - *report.before_limits).margin(1e-6));
    } else {
      REQUIRE(greatest_loss == Approx(100 - *report.before_limits).margin(1e-6));
    }
  });
  CHECK(scored > 20'000);
}

TEST_CASE("whatever the system, a limit is named when it holds the score, and only then",
          "[health][H4][H4b]") {
  std::size_t named[4] = {};
  on_any_system([&](any_system&, const scorer& system, const auto&, const health_report& report) {
    const auto& options = system.options();
    ++named[static_cast<std::size_t>(report.limit)];
    switch (report.limit) {
      case score_limit::none:
        REQUIRE(report.score == report.before_limits);
        break;
      case score_limit::thin_evidence:
        REQUIRE_FALSE(report.score);
        REQUIRE_FALSE((report.before_limits && options.unknown_as));
        REQUIRE((!report.before_limits || report.known_share < options.minimum_known));
        return;
      case score_limit::optional:
        REQUIRE(*report.score > *report.before_limits);
        REQUIRE(*report.score <= options.optional_floor);
        break;
      case score_limit::required: {
        const auto& by = report.components[report.limited_by];
        REQUIRE(system.roles()[report.limited_by].criticality == criticality::required);
        REQUIRE(*report.score == Approx(by.score ? *by.score : *options.unknown_as).margin(1e-6));
        break;
      }
    }
    if (report.limit != score_limit::required && !options.unknown_as)
      REQUIRE(report.known_share + 1e-9 >= options.minimum_known);
    REQUIRE((*report.score >= 0 && *report.score <= 100));
  });
  for (const auto times : named) CHECK(times > 500);
}

TEST_CASE("whatever the system, it is never better than a required dependency that is known",
          "[health][H3]") {
  on_any_system([&](any_system&, const scorer& system, const auto&, const health_report& report) {
    if (!report.score) return;
    for (std::size_t i = 0; i < report.components.size(); ++i) {
      if (system.roles()[i].criticality != criticality::required || !report.components[i].score) continue;
      REQUIRE(*report.score <= *report.components[i].score + 1e-6);
    }
  });
}

TEST_CASE("whatever the system, optional dependencies never take its score below the floor",
          "[health][exhaustive][H3]") {
  std::size_t floors = 0;
  on_any_system([&](any_system& random, const scorer& system, auto evidence, const health_report&) {
    // All that is not optional is well, and the rest as it may be.
    for (std::size_t i = 0; i < evidence.size(); ++i) {
      if (system.roles()[i].criticality != criticality::optional)
        evidence[i] = {.calls = 10, .successes = 10};
      else if (random.below(2) == 0)
        evidence[i] = {.state = circuit_state::open};
    }
    const auto report = system.score(evidence);
    if (!report.score) return;
    REQUIRE(*report.score >= system.options().optional_floor);
    floors += report.limit == score_limit::optional;
  });
  CHECK(floors > 500);
}

TEST_CASE("whatever the system, no component that gets better lowers its score", "[health][exhaustive][H1]") {
  std::size_t rose = 0;
  on_any_system(
      [&](any_system& random, const scorer& system, const auto& evidence, const health_report& before) {
        auto changed = evidence;
        const auto one = random.below(static_cast<std::uint32_t>(changed.size()));
        changed[one] = random.better(changed[one]);
        const auto after = system.score(changed);
        if (!before.score || !after.score) return;
        REQUIRE(*after.score >= *before.score);
        rose += *after.score > *before.score;
      });
  CHECK(rose > 3000);
}
