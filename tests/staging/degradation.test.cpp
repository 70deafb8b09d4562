// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/real_system.hpp"
#include "staging/support/staging_server.hpp"

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

/// The real servers, with Redis tripping and recovering as fast as it can.
variables with_nervous_redis() {
  auto environment = real_system::instance().environment();
  environment["HEALTH_CHECK_INTERVAL"] = "0.05";
  environment["REDIS_CB_FAILURE_THRESHOLD"] = "1";
  environment["REDIS_CB_RECOVERY_TIMEOUT"] = "0.05";
  environment["REDIS_TIMEOUT"] = "0.05";
  return environment;
}

nlohmann::json degradation(const staging_server& server) {
  return server.get("/api/degradation").json();
}

bool has_text(const nlohmann::json& text, std::string_view part) {
  return text.get<std::string>().find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a real outage explains itself: contributions, the transition, and what would change it",
          "[degradation]") {
  const staging_server server{real_system::instance().environment()};
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));
  auto& redis = real_system::instance().server("redis");
  redis.kill();
  REQUIRE(eventually(20s, [&] { return server.shows(85, "DEGRADED"); }));

  const auto seen = degradation(server);
  CAPTURE(seen.dump(2));
  const auto& components = seen["components"];
  CHECK(components["redis"]["score"] == 0);
  CHECK(components["redis"]["lost_points"] == 15);
  CHECK(components["redis"]["points"] == 0);
  CHECK(components["openai"]["points"] == 50);
  CHECK(components["openai"]["lost_points"] == 0);
  CHECK(components["openai"]["unknown"] == false);
  CHECK(components["openai"]["criticality"] == "standard");
  CHECK(seen["known_share"] == 1);
  CHECK(seen["ready"] == true);

  const auto& fall = seen["transitions"].back();
  CHECK(fall["from"] == "OPTIMAL");
  CHECK(fall["to"] == "DEGRADED");
  CHECK(fall["cause"] == "health_fell");
  CHECK(fall["threshold"] == 90);
  REQUIRE(!fall["signals"].empty());
  CHECK(fall["signals"][0]["dependency"] == "redis");
  CHECK(has_text(fall["explanation"], "redis loses"));
  CHECK(has_text(fall["explanation"], "below 90"));

  CHECK(seen["outlook"]["better"]["level"] == "OPTIMAL");
  CHECK(seen["outlook"]["better"]["score"] == 90);
  CHECK(seen["outlook"]["better"]["held_for_seconds"] == 0.1);
  CHECK(seen["outlook"]["worse"] == nlohmann::json{{"level", "LIMITED"}, {"below_score", 70}});

  redis.restart();
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));
  const auto rise = degradation(server)["transitions"].back();
  CHECK(rise["cause"] == "health_recovered");
  CHECK(rise["threshold"] == 90);
  CHECK(rise["held_seconds"] >= 0.1);

  std::vector<std::string> told;
  CHECK(eventually(5s, [&] {
    told.clear();
    for (const auto& line : server.log()) {
      if (line.value("dependency", "") != "redis" || !line.contains("to")) continue;
      told.push_back(line["message"]);
      CHECK(line["reason"] != "");
    }
    return told.size() >= 2;
  }));
  CHECK(told == std::vector<std::string>{"outage began", "outage ended"});
}

TEST_CASE("how long a real outage will last is unknown at first, and an interval once nine have ended",
          "[degradation]") {
  const staging_server server{with_nervous_redis()};
  auto& redis = real_system::instance().server("redis");
  const auto circuit = [&] { return server.get("/api/circuit-breakers").json()["circuit_breakers"][2]; };
  REQUIRE(circuit()["name"] == "redis");
  const auto ended = [&] { return circuit()["outages"]["ended"].get<int>(); };
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));

  // A slow machine may end some by itself: counted is what the server has seen.
  while (ended() < 9) {
    const auto before = ended();
    redis.freeze();
    const bool down = eventually(5s, [&] { return server.shows(85, "DEGRADED"); });
    if (before < 5) CHECK(server.health()["predicted_recovery_seconds"].is_null());
    redis.thaw();
    REQUIRE(down);
    REQUIRE(eventually(10s, [&] { return ended() > before && server.shows(100, "OPTIMAL"); }));
    CHECK(server.health()["predicted_recovery_seconds"].is_null());  // nothing to recover from
  }
  redis.freeze();
  const bool known = eventually(5s, [&] {
    const auto predicted = server.health()["predicted_recovery_seconds"];
    return predicted.is_object() && predicted["p50"] > 0 && predicted["p90"] >= predicted["p50"];
  });
  const auto seen = circuit();
  redis.thaw();
  CAPTURE(seen.dump(2));
  CHECK(known);
  CHECK_FALSE(seen["outages"]["running_since"].is_null());
  CHECK(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
}

TEST_CASE("figures that came from the cache are remembered, and every copy says its age and why it is one",
          "[degradation]") {
  auto environment = real_system::instance().environment();
  environment["REDIS_DB"] = "5";
  const auto stats = [](const staging_server& server) { return server.get("/api/inventory/stats").json(); };
  {
    const staging_server first{environment};
    REQUIRE(eventually(20s, [&] { return first.shows(100, "OPTIMAL"); }));
    const auto fresh = stats(first);
    CHECK(fresh["source"] == "database");
    CHECK(fresh["age_seconds"].is_null());
    CHECK(fresh["reason"] == "");
  }
  const staging_server restarted{environment};
  REQUIRE(eventually(20s, [&] { return restarted.shows(100, "OPTIMAL"); }));
  const auto cached = stats(restarted);
  CAPTURE(cached.dump());
  CHECK(cached["source"] == "cache");
  REQUIRE(cached["age_seconds"].is_number());
  CHECK(cached["age_seconds"] > 0);
  CHECK(cached["age_seconds"] < 60);
  CHECK(has_text(cached["reason"], "from the cache for up to 3600 s"));

  restarted.act("database", "open");
  restarted.act("redis", "open");
  const auto answer = restarted.get("/api/inventory/stats");
  CAPTURE(answer.body);
  CHECK(answer.status == 200);
  const auto stale = answer.json();
  CHECK(stale["source"] == "stale");
  CHECK(stale["items"] == cached["items"]);
  CHECK(stale["age_seconds"] >= cached["age_seconds"]);
  CHECK(has_text(stale["reason"], "database refuses calls"));
}

TEST_CASE("at EMERGENCY callers are told to come back at different times", "[degradation]") {
  const staging_server server{real_system::instance().environment()};
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));
  for (const auto* name : {"openai", "database"}) {
    server.act(name, "open");
  }
  REQUIRE(server.shows(20, "EMERGENCY"));
  std::set<std::string> told;
  for (int i = 0; i < 20; ++i) {
    const auto refused = server.get("/health");
    REQUIRE(refused.status == 503);
    told.insert(refused.header("Retry-After"));
  }
  CHECK(told.size() >= 5);
  CHECK(server.get("/readyz", {}).status == 503);
}

TEST_CASE("an operator can cap and freeze the level", "[degradation]") {
  const staging_server server{real_system::instance().environment()};
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));
  const auto order = [&](nlohmann::json body) {
    body["reason"] = "a test";
    body["actor"] = "the test";
    body["expiry"] = 60;
    return server.post("/api/degradation/override", body);
  };
  CHECK(order({{"kind", "cap"}, {"level", "DEGRADED"}}).json()["degradation_level"] == "DEGRADED");
  server.act("openai", "open");
  CHECK(degradation(server)["degradation_level"] == "MINIMAL");  // worse than the cap: health decides

  CHECK(order({{"kind", "freeze"}}).json()["override"]["kind"] == "freeze");
  server.act("openai", "close");
  REQUIRE(eventually(20s, [&] { return degradation(server)["level_by_health"] == "OPTIMAL"; }));
  CHECK(degradation(server)["degradation_level"] == "MINIMAL");

  CHECK(order({{"kind", "freeze"}, {"level", "LIMITED"}}).status == 400);
  CHECK(order({{"kind", "nudge"}, {"level", "LIMITED"}}).status == 400);
}

TEST_CASE("a dry run decides and shows, and takes nothing away", "[degradation]") {
  auto environment = real_system::instance().environment();
  environment["DEGRADATION_DRY_RUN"] = "true";
  const staging_server server{environment};
  REQUIRE(eventually(20s, [&] { return degradation(server)["level_by_health"] == "OPTIMAL"; }));
  server.act("redis", "open");
  const auto seen = degradation(server);
  CHECK(seen["dry_run"] == true);
  CHECK(seen["degradation_level"] == "OPTIMAL");
  CHECK(seen["level_by_health"] == "DEGRADED");
  REQUIRE(!seen["transitions"].empty());
  CHECK(has_text(seen["transitions"].back()["explanation"], "(dry run) OPTIMAL -> DEGRADED"));
  CHECK(server.get("/api/features").json()["allowed_by_level"] == 16);
}

TEST_CASE("the features of a better level return one after another when they are told to", "[degradation]") {
  auto environment = real_system::instance().environment();
  environment["DEGRADATION_DWELL"] = "1.5";
  environment["DEGRADATION_FEATURE_RETURN"] = "1.5";
  const staging_server server{environment};
  const auto features = [&] { return server.get("/api/features").json(); };
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));
  CHECK(features()["available"] == 16);  // a start is no return
  server.act("redis", "open");
  CHECK(features()["available"] == 11);  // of 12 that DEGRADED allows, one needs Redis
  server.act("redis", "close");
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));

  std::set<std::size_t> counts;
  REQUIRE(eventually(20s, [&] {
    const auto view = features();
    counts.insert(view["available"].get<std::size_t>());
    for (const auto& one : view["features"]) {
      if (one["allowed_by_level"] == true && one["available"] == false) {
        CHECK(has_text(one["reason"], "coming back"));
      }
    }
    return view["available"] == 16;
  }));
  CHECK(counts.size() >= 3);
}
