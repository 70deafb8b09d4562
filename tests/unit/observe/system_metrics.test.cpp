// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/system/staging_bench.hpp"

#include "brownout/core/histogram_snapshot.hpp"
#include "brownout/observe/prometheus_text.hpp"
#include "brownout/observe/system_metrics.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace system_test;

namespace {

std::string metrics_of(const supervisor& watched) {
  brownout::prometheus_text out;
  write_metrics(out, watched.snapshot(watched.now()));
  return out.text();
}

bool has_line(const std::string& text, const std::string& wanted) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (line == wanted) return true;
  }
  return false;
}

// What a system offers at most, as values.
struct counted_component {
  struct {
    std::uint64_t successful = 7, failed = 6, ignored = 5, slow = 4, rejected = 3, late = 2;
  } calls;
  std::string name = "db";
  brownout::breaker_snapshot circuit{};
  brownout::circuit_change_counts changes{};
  brownout::contribution health{};
  std::uint64_t outages = 0;
  duration outage_time{};
  std::optional<brownout::recovery_estimate> recovery{};
  brownout::histogram_snapshot latency{{0.1}, {8, 9}, 1.5};
  bool probed = true;
  std::optional<double> refused{};
  std::optional<duration> since_probe_success{};
  std::optional<duration> probe_running_for{};
  std::optional<time_point> outage_began{};
};
struct counted_system {
  std::vector<counted_component> components{1};
  std::vector<brownout::feature_state> feature_modes{};
  level_test::level level = level_test::level::degraded;
  level_test::level health_level = level_test::level::minimal;
  bool assessed = true;
  std::optional<double> score{};
  std::optional<brownout::recovery_estimate> recovery{};
  std::vector<std::vector<std::uint64_t>> level_changes{5, std::vector<std::uint64_t>(5)};
  double known_share = 1;
  bool ready = true;
  std::optional<brownout::level_override<level_test::level>> active_override{};
  time_point at{};
};
static_assert(brownout::observable_system<counted_system>);
static_assert(brownout::observable_system<brownout::system_snapshot<level>>);

std::string metrics_of(const counted_system& system) {
  brownout::prometheus_text out;
  write_metrics(out, system);
  return out.text();
}

std::size_t lines_with(const std::string& text, const std::string& beginning) {
  std::istringstream lines{text};
  std::size_t found = 0;
  for (std::string line; std::getline(lines, line);) found += line.starts_with(beginning) ? 1U : 0U;
  return found;
}

}  // namespace

TEST_CASE("each dependency has its calls by kind and a histogram of their latency", "[observe][M2d]") {
  const auto text = metrics_of(counted_system{});
  CHECK(has_line(text, R"(brownout_dependency_calls_total{dependency="db",kind="successful"} 7)"));
  CHECK(has_line(text, R"(brownout_dependency_calls_total{dependency="db",kind="failed"} 6)"));
  CHECK(has_line(text, R"(brownout_dependency_calls_total{dependency="db",kind="ignored"} 5)"));
  CHECK(has_line(text, R"(brownout_dependency_calls_total{dependency="db",kind="slow"} 4)"));
  CHECK(has_line(text, R"(brownout_dependency_calls_total{dependency="db",kind="rejected"} 3)"));
  CHECK(has_line(text, R"(brownout_dependency_calls_total{dependency="db",kind="late"} 2)"));
  CHECK(lines_with(text, "brownout_dependency_calls_total") == 6);
  CHECK(has_line(text, R"(brownout_dependency_latency_seconds_bucket{dependency="db",le="0.1"} 8)"));
  CHECK(has_line(text, R"(brownout_dependency_latency_seconds_count{dependency="db"} 9)"));
}

TEST_CASE("a dependency with a limit shows the share of calls that it refused", "[observe][M2m]") {
  counted_system system;
  CHECK(lines_with(metrics_of(system), "brownout_refused_share") == 0);
  system.components.front().refused = 0.25;
  CHECK(has_line(metrics_of(system), R"(brownout_refused_share{dependency="db"} 0.25)"));
}

TEST_CASE("a probe shows how long ago it succeeded and how long it has been running", "[observe][M2e]") {
  counted_system system;
  auto& one = system.components.front();
  auto text = metrics_of(system);
  CHECK(has_line(text, R"(brownout_probe_success_age_seconds{dependency="db"} NaN)"));
  CHECK(has_line(text, R"(brownout_probe_running_seconds{dependency="db"} 0)"));
  one.since_probe_success = 90s;
  one.probe_running_for = 1500ms;
  text = metrics_of(system);
  CHECK(has_line(text, R"(brownout_probe_success_age_seconds{dependency="db"} 90)"));
  CHECK(has_line(text, R"(brownout_probe_running_seconds{dependency="db"} 1.5)"));
  one.probed = false;
  CHECK(lines_with(metrics_of(system), "brownout_probe_") == 0);
}

TEST_CASE("each feature shows the mode in which it is offered", "[observe][M2f]") {
  counted_system system;
  system.feature_modes = {{.name = "search", .mode = feature_mode::cached}, {.name = "advice"}};
  const auto text = metrics_of(system);
  CHECK(has_line(text, R"(brownout_feature_mode{feature="search",mode="cached"} 1)"));
  CHECK(has_line(text, R"(brownout_feature_mode{feature="search",mode="full"} 0)"));
  CHECK(has_line(text, R"(brownout_feature_mode{feature="advice",mode="off"} 1)"));
  CHECK(lines_with(text, "brownout_feature_mode") == 8);
}

TEST_CASE("each feature shows what blocks it: the level, and each dependency that it needs",
          "[observe][M2i]") {
  counted_system system;
  system.components.resize(2);
  system.components[1].name = "cache";
  system.feature_modes = {{.name = "search",
                           .mode = feature_mode::off,
                           .allowed_by_level = true,
                           .needs = brownout::needs(0, 1),
                           .blocked_by = brownout::needs(1)},
                          {.name = "advice"}};
  const auto text = metrics_of(system);
  CHECK(has_line(text, R"(brownout_feature_blocked{feature="search",dependency=""} 0)"));
  CHECK(has_line(text, R"(brownout_feature_blocked{feature="search",dependency="db"} 0)"));
  CHECK(has_line(text, R"(brownout_feature_blocked{feature="search",dependency="cache"} 1)"));
  CHECK(has_line(text, R"(brownout_feature_blocked{feature="advice",dependency=""} 1)"));
  CHECK(lines_with(text, "brownout_feature_blocked") == 4);
}

TEST_CASE("an override shows its kind, its level and who set it, and nothing after it ended",
          "[observe][M2j]") {
  counted_system system;
  CHECK(lines_with(metrics_of(system), "brownout_override_info") == 0);
  system.active_override = {.level = level_test::level::minimal,
                            .reason = "a test",
                            .actor = "ann",
                            .expires = time_point{60s},
                            .kind = brownout::override_kind::cap};
  CHECK(has_line(metrics_of(system), R"(brownout_override_info{kind="cap",level="minimal",actor="ann"} 1)"));
}

TEST_CASE("moments are written as Unix time, and what is not there is left out", "[observe][M2k]") {
  counted_system system;
  system.at = time_point{500s};
  const std::chrono::system_clock::time_point taken{std::chrono::milliseconds{1'700'000'000'250}};
  const auto written = [&] {
    brownout::prometheus_text out;
    write_timestamps(out, system, taken, {{"system", "shop"}});
    return out.text();
  };
  CHECK(written().empty());
  system.components.front().outage_began = time_point{400s};
  system.components.front().probe_running_for = 1500ms;
  system.active_override.emplace().expires = time_point{560s};
  const auto text = written();
  CHECK(has_line(text,
                 R"(brownout_outage_start_timestamp_seconds{system="shop",dependency="db"} 1699999900.25)"));
  CHECK(has_line(text,
                 R"(brownout_probe_start_timestamp_seconds{system="shop",dependency="db"} 1699999998.75)"));
  CHECK(has_line(text, R"(brownout_override_expiry_timestamp_seconds{system="shop"} 1700000060.25)"));
}

TEST_CASE("the level by health stands beside the level in force", "[observe][M2g]") {
  const auto text = metrics_of(counted_system{});
  CHECK(has_line(text, R"(brownout_degradation_level{level="degraded"} 1)"));
  CHECK(has_line(text, R"(brownout_degradation_level{level="minimal"} 0)"));
  CHECK(has_line(text, R"(brownout_health_level{level="degraded"} 0)"));
  CHECK(has_line(text, R"(brownout_health_level{level="minimal"} 1)"));
}

TEST_CASE("before the first assessment no level is marked, unless an operator has set one",
          "[observe][M2l]") {
  const auto marked = [](const std::string& text) {
    std::vector<std::string> found;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
      if (line.find("_level{") != std::string::npos && line.ends_with(" 1")) found.push_back(line);
    }
    return found;
  };
  using lines = std::vector<std::string>;
  const auto is_written = [](const std::string& text) {
    return has_line(text, R"(brownout_degradation_level{level="degraded"} 0)") &&
           has_line(text, R"(brownout_health_level{level="minimal"} 0)");
  };
  counted_system system;
  CHECK(marked(metrics_of(system)).size() == 2);
  system.assessed = false;
  CHECK(marked(metrics_of(system)) == lines{});
  CHECK(is_written(metrics_of(system)));
  system.active_override.emplace().level = level_test::level::degraded;
  CHECK(marked(metrics_of(system)) == lines{R"(brownout_degradation_level{level="degraded"} 1)"});

  staging starting;
  CHECK(marked(metrics_of(starting.watched)) == lines{});
  starting.run(1s);
  CHECK(marked(metrics_of(starting.watched)).size() == 2);
}

TEST_CASE("changes of an outage are counted from zero, other changes once they happened", "[observe][M2h]") {
  counted_system system;
  const auto transitions = [&] {
    return lines_with(metrics_of(system), "brownout_circuit_transitions_total");
  };
  CHECK(transitions() == 4);
  CHECK(has_line(metrics_of(system),
                 R"(brownout_circuit_transitions_total{dependency="db",from="closed",to="open"} 0)"));
  CHECK(has_line(metrics_of(system),
                 R"(brownout_circuit_transitions_total{dependency="db",from="half_open",to="closed"} 0)"));
  auto& changes = system.components.front().changes;
  changes[static_cast<std::size_t>(circuit_state::closed)]
         [static_cast<std::size_t>(circuit_state::forced_open)] = 1;
  CHECK(transitions() == 5);
}

TEST_CASE("a healthy system shows closed circuits, a full score and its level", "[observe]") {
  staging staging;
  staging.run(1s);
  const auto text = metrics_of(staging.watched);
  CHECK(has_line(text, R"(brownout_circuit_state{dependency="database",state="closed"} 1)"));
  CHECK(has_line(text, R"(brownout_circuit_state{dependency="database",state="open"} 0)"));
  CHECK(has_line(text, R"(brownout_component_health_score{dependency="s3"} 100)"));
  CHECK(has_line(text, "brownout_health_score 100"));
  CHECK(text.find("brownout_degradation_level{level=") != std::string::npos);
}

TEST_CASE("what is known, ready, overridden and predicted shows", "[observe][exhaustive][D5][D6]") {
  staging staging;
  auto text = metrics_of(staging.watched);
  CHECK(has_line(text, "brownout_ready 0"));
  CHECK(has_line(text, "brownout_known_weight_share 0"));
  staging.run(1s);
  text = metrics_of(staging.watched);
  CHECK(has_line(text, "brownout_ready 1"));
  CHECK(has_line(text, "brownout_known_weight_share 1"));
  CHECK(has_line(text, "brownout_override_active 0"));
  CHECK(has_line(text, R"(brownout_predicted_recovery_seconds{dependency="redis",chance="0.5"} NaN)"));
  CHECK(has_line(text, R"(brownout_predicted_recovery_seconds{dependency="",chance="0.9"} NaN)"));

  for (int outage = 0; outage < 11; ++outage) {  // the first ends sooner than this one has lasted
    staging.answers[number(dependency::redis)] = health::down;
    staging.run(60s);
    if (outage == 10) break;
    staging.answers[number(dependency::redis)] = health::up;
    staging.run(10min);
  }
  text = metrics_of(staging.watched);
  CHECK_FALSE(has_line(text, R"(brownout_predicted_recovery_seconds{dependency="redis",chance="0.5"} NaN)"));
  CHECK_FALSE(has_line(text, R"(brownout_predicted_recovery_seconds{dependency="",chance="0.9"} NaN)"));
  CHECK(has_line(text, R"(brownout_predicted_recovery_seconds{dependency="s3",chance="0.5"} NaN)"));

  staging.watched.set_override({.level = level::minimal,
                                .reason = "a test",
                                .actor = "the test",
                                .expires = staging.clock.now() + 1min},
                               staging.clock.now());
  CHECK(has_line(metrics_of(staging.watched), "brownout_override_active 1"));
}

TEST_CASE("several systems share a page when a label tells them apart", "[observe][M2][M2a]") {
  staging shop;
  const staging office;
  shop.run(1s);
  brownout::prometheus_text page;
  write_metrics(page, shop.watched.snapshot(shop.watched.now()), {{"system", "shop"}});
  write_metrics(page, office.watched.snapshot(office.watched.now()), {{"system", "office"}});
  const auto text = page.text();
  CHECK(has_line(text, R"(brownout_health_score{system="shop"} 100)"));
  CHECK(has_line(text, R"(brownout_health_score{system="office"} NaN)"));
  CHECK(has_line(text, R"(brownout_circuit_state{system="office",dependency="s3",state="closed"} 1)"));
  std::istringstream lines{text};
  std::set<std::string> samples;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(samples.insert(line.substr(0, line.rfind(' '))).second);
  }
}

TEST_CASE("a real system fills in its calls, latencies, probes and features", "[observe][M2d][M2e][M2f]") {
  staging staging;
  staging.run(1s);
  auto& s3 = staging.watched.described(dependency::s3);
  s3.call([&] { staging.clock.advance(20ms); });  // of few calls each is timed
  static_cast<void>(s3.try_acquire()->complete(outcome::failure));
  static_cast<void>(s3.try_acquire()->complete(outcome::ignored));
  staging.answers[number(dependency::s3)] = health::hangs;
  staging.run(11s);
  const auto text = metrics_of(staging.watched);
  CHECK(
      has_line(text, R"(brownout_dependency_calls_total{dependency="s3",kind="successful"} 2)"));  // a probe
  CHECK(has_line(text, R"(brownout_dependency_calls_total{dependency="s3",kind="ignored"} 1)"));
  CHECK(has_line(text, R"(brownout_dependency_latency_seconds_count{dependency="s3"} 2)"));
  CHECK(has_line(text, R"(brownout_dependency_latency_seconds_sum{dependency="s3"} 0.02)"));
  CHECK(has_line(text, R"(brownout_probe_success_age_seconds{dependency="s3"} 12.02)"));
  CHECK_FALSE(has_line(text, R"(brownout_probe_running_seconds{dependency="s3"} 0)"));
  CHECK(has_line(text, R"(brownout_probe_running_seconds{dependency="redis"} 0)"));
  s3.force_open();
  staging.watched.refresh(staging.watched.now());
  const auto blocked = metrics_of(staging.watched);
  CHECK(lines_with(blocked, "brownout_feature_blocked{") > lines_with(blocked, "brownout_feature_mode{") / 4);
  CHECK(blocked.find(",dependency=\"s3\"} 1\n", blocked.find("\nbrownout_feature_blocked{")) !=
        std::string::npos);
  // Features without a `to_string` are numbered.
  CHECK(has_line(text, R"(brownout_feature_mode{feature="3",mode="full"} 1)"));
}

TEST_CASE("before anything is known the scores are NaN, not zero", "[observe][H2]") {
  const staging staging;
  const auto text = metrics_of(staging.watched);
  CHECK(has_line(text, "brownout_health_score NaN"));
  CHECK(has_line(text, R"(brownout_component_health_score{dependency="s3"} NaN)"));
}

TEST_CASE("an operator's hold shows as a state and as a transition, a refused call as a rejection",
          "[observe]") {
  staging staging;
  staging.run(1s);
  auto& redis = staging.watched.described(dependency::redis);
  redis.force_open();
  CHECK_FALSE(redis.try_acquire());
  staging.watched.refresh(staging.watched.now());
  const auto text = metrics_of(staging.watched);
  CHECK(has_line(text, R"(brownout_circuit_state{dependency="redis",state="forced_open"} 1)"));
  CHECK(has_line(
      text, R"(brownout_circuit_transitions_total{dependency="redis",from="closed",to="forced_open"} 1)"));
  CHECK(has_line(text, R"(brownout_dependency_calls_total{dependency="redis",kind="rejected"} 1)"));
}
