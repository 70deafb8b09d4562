// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/system/staging_bench.hpp"

#include "brownout/observe/prometheus_text.hpp"
#include "brownout/observe/system_metrics.hpp"

#include <set>
#include <sstream>
#include <string>

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

}  // namespace

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

TEST_CASE("what is known, ready, overridden and predicted shows", "[observe][D5][D6]") {
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
  auto& redis = staging.watched.at(dependency::redis);
  redis.breaker().force_open();
  CHECK_FALSE(redis.try_acquire());
  staging.watched.refresh(staging.watched.now());
  const auto text = metrics_of(staging.watched);
  CHECK(has_line(text, R"(brownout_circuit_state{dependency="redis",state="forced_open"} 1)"));
  CHECK(has_line(
      text, R"(brownout_circuit_transitions_total{dependency="redis",from="closed",to="forced_open"} 1)"));
  CHECK(has_line(text, R"(brownout_circuit_rejections_total{dependency="redis"} 1)"));
}
