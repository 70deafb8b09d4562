// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/staging_server.hpp"
#include "unit/staging/loopback_peer.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

variables quick() {
  variables environment{{"HEALTH_CHECK_INTERVAL", "0.05"}, {"DEGRADATION_DWELL", "0.05"}};
  for (const auto* prefix : {"OPENAI", "DB", "REDIS", "S3"}) {
    environment[std::string{prefix} + "_CB_RECOVERY_TIMEOUT"] = "0.2";
  }
  return environment;
}

}  // namespace

TEST_CASE("a simulated outage of each kind dims the server, and its end brings it back", "[process]") {
  const staging_server server{quick()};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));

  SECTION("down") {
    CHECK(server.post("/api/simulate/database", {{"mode", "down"}}).status == 200);
    CHECK(eventually(5s, [&] { return server.shows(70, "DEGRADED"); }));
  }
  SECTION("slow: half a second over the budget costs half of the component's score") {
    CHECK(server.post("/api/simulate/openai", {{"mode", "slow"}, {"latency_ms", 1000}}).status == 200);
    CHECK(
        eventually(60s, [&] { return server.health()["components"]["openai"]["score"].get<double>() < 60; }));
  }
  SECTION("flaky: some of the calls fail") {
    CHECK(server.post("/api/simulate/s3", {{"mode", "flaky"}, {"error_rate", 1}}).status == 200);
    CHECK(eventually(5s, [&] { return server.health()["components"]["s3"]["state"] == "open"; }));
  }
  for (const auto* name : {"openai", "database", "redis", "s3"}) {
    server.post(std::string{"/api/simulate/"} + name, {{"mode", "up"}});
  }
  CHECK(eventually(60s, [&] { return server.shows(100, "OPTIMAL"); }));
}

TEST_CASE("a start that waits for one dependency is no outage", "[process]") {
  const loopback_peer black_hole;  // takes connections and never answers
  auto environment = quick();
  environment["S3_ENDPOINT_URL"] = "http://" + black_hole.address();
  environment["S3_BUCKET_NAME"] = "bucket";
  environment["AWS_ACCESS_KEY_ID"] = "id";
  environment["AWS_SECRET_ACCESS_KEY"] = "secret";
  environment["S3_TIMEOUT"] = "2";
  const staging_server server{environment};
  const auto health = server.get("/health");
  CHECK(health.status == 503);
  CHECK(health.header("Retry-After") == "1");
  CHECK(health.json()["status"] == "starting");
  CHECK(health.json()["degradation_level"] == "STARTING");
  CHECK(server.get("/readyz", {}).status == 503);
  CHECK(server.get("/api/features").json()["available"] == 16);
  CHECK(server.get("/api/inventory/stats").status == 200);
  for (const auto* path : {"/health", "/api/status", "/api/degradation"}) {
    const auto seen = server.get(path).json();
    CAPTURE(path, seen.dump());
    CHECK(seen["degradation_level"] == "STARTING");
    CHECK(seen["health_score"].is_null());
    CHECK(seen.value("transitions", nlohmann::json::array()).empty());
  }
  const auto features = server.get("/api/features").json();
  CHECK(features["degradation_level"] == "STARTING");
  const auto page = server.get("/api/overview").json();
  CHECK(page["features"]["degradation_level"] == "STARTING");
  CHECK(page["degradation"]["score_history"].empty());
  const auto metrics = server.get("/metrics").body;
  for (const auto* level : {"OPTIMAL", "DEGRADED", "LIMITED", "MINIMAL", "EMERGENCY"}) {
    for (const auto* family : {"brownout_degradation_level", "brownout_health_level"}) {
      const auto sample = std::string{family} + "{level=\"" + level + "\"} 0\n";
      CAPTURE(sample);
      CHECK(metrics.find(sample) != std::string::npos);
    }
  }
  REQUIRE(server.health()["status"] == "starting");  // all of the above was seen before the end of the start

  REQUIRE(eventually(5s, [&] { return server.health()["health_score"] == 95; }));
  CHECK(server.health()["degradation_level"] == "OPTIMAL");
  CHECK(server.get("/readyz", {}).status == 200);
  std::vector<std::string> told;
  CHECK(eventually(2s, [&] {
    told.clear();
    for (const auto& line : server.log()) {
      CHECK(line.dump().find("EMERGENCY") == std::string::npos);
      const auto message = line.at("message").get<std::string>();
      if (message == "started" || message == "level changed") told.push_back(message);
      if (message == "starting") told.push_back(message + " " + line.at("waits_for").dump());
    }
    return told.size() >= 3;
  }));
  CHECK(told == std::vector<std::string>{R"(starting ["openai","database","redis","s3"])",
                                         R"(starting ["s3"])", "started"});
}

TEST_CASE("who is refused a feature is told when what keeps it off is over, not when an override is",
          "[process]") {
  auto environment = quick();
  environment["DB_CB_RECOVERY_TIMEOUT"] = "5";
  const staging_server server{environment};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  server.post(
      "/api/degradation/override",
      {{"kind", "cap"}, {"level", "DEGRADED"}, {"reason", "a test"}, {"actor", "the test"}, {"expiry", 600}});
  server.post("/api/simulate/database", {{"mode", "down"}});
  REQUIRE(eventually(5s, [&] { return server.health()["components"]["database"]["state"] == "open"; }));
  const auto refused = server.get("/api/inventory/stats");
  CHECK(refused.status == 503);
  CHECK(std::stoi(refused.header("Retry-After")) <= 8);
  CHECK(refused.json()["error"]["message"] ==
        "The stock is not known: inventory_management is off: database refuses calls.");
}

TEST_CASE("a body that is wrong gets a 400 that names the field", "[process]") {
  const staging_server server{quick()};
  const auto field_of = [&](const std::string& path, const nlohmann::json& body) {
    const auto refused = server.post(path, body);
    CHECK(refused.status == 400);
    return refused.json()["error"].value("field", "");
  };
  CHECK(field_of("/api/simulate/s3", {{"mode", "sideways"}}) == "mode");
  CHECK(field_of("/api/simulate/s3", {{"mode", "slow"}, {"latency_ms", -1}}) == "latency_ms");
  CHECK(field_of("/api/simulate/s3", {{"mode", "flaky"}, {"error_rate", "often"}}) == "error_rate");
  CHECK(field_of("/api/simulate/s3", {{"mode", "up"}, {"moed", "up"}}) == "moed");
  CHECK(field_of("/api/simulate/s3", nlohmann::json::array()) == "body");
  const nlohmann::json good{
      {"level", "LIMITED"}, {"reason", "a test"}, {"actor", "the test"}, {"expiry", 60}};
  for (const auto* field : {"level", "reason", "actor", "expiry"}) {
    auto body = good;
    body.erase(field);
    CHECK(field_of("/api/degradation/override", body) == field);
  }
  for (const auto* action : {"open", "close", "reset"}) {
    const auto path = std::string{"/api/circuit-breakers/redis/"} + action;
    CHECK(field_of(path, {{"reason", "a test"}}) == "actor");
    CHECK(field_of(path, {{"actor", "the test"}}) == "reason");
    CHECK(field_of(path, {{"actor", "the test"}, {"reason", std::string(257, 'x')}}) == "reason");
    CHECK(field_of(path, {{"actor", std::string(65, 'x')}, {"reason", "a test"}}) == "actor");
    CHECK(field_of(path, {{"actor", "the test"}, {"reason", "two\nlines"}}) == "reason");
    CHECK(field_of(path, {{"actor", "the test"}, {"reason", "a test"}, {"why", "a test"}}) == "why");
  }
  CHECK(server.post("/api/circuit-breakers/redis/open").status == 400);
  CHECK(server.health()["components"]["redis"]["state"] == "closed");
}

TEST_CASE("a circuit that is held shows who holds it, since when and why", "[process]") {
  const staging_server server{quick()};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  const nlohmann::json by{{"reason", "the bucket moves"}, {"actor", "maria"}};
  const auto held = server.post("/api/circuit-breakers/s3/open", by);
  REQUIRE(held.status == 200);
  CHECK(held.json()["held"]["actor"] == "maria");
  CHECK(held.json()["held"]["reason"] == "the bucket moves");
  CHECK(held.json()["held"]["since"] == held.json()["since"]);

  const auto last_change = [&] {
    return server.get("/api/overview").json()["degradation"]["circuit_changes"].back();
  };
  CHECK(last_change()["to"] == "forced_open");
  CHECK(last_change()["actor"] == "maria");
  CHECK(last_change()["reason"] == "the bucket moves");
  const int number = last_change()["sequence"];

  const auto closed =
      server.post("/api/circuit-breakers/s3/close", {{"reason", "it has moved"}, {"actor", "ada"}});
  CHECK(closed.json()["held"].is_null());
  CHECK(last_change()["from"] == "forced_open");
  CHECK(last_change()["actor"] == "ada");
  CHECK(last_change()["sequence"] == number + 1);

  // What calls and probes do is no operator's.
  server.post("/api/simulate/s3", {{"mode", "down"}});
  REQUIRE(eventually(5s, [&] { return server.health()["components"]["s3"]["state"] == "open"; }));
  CHECK(last_change()["actor"].is_null());
  CHECK(last_change()["reason"] == "simulated failure");
  CHECK(last_change()["sequence"] >= number + 2);
}

TEST_CASE("the overview tells of whole outages, of the last failure and of the score's history",
          "[process]") {
  const staging_server server{quick()};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  const auto overview = [&] { return server.get("/api/overview").json(); };
  const auto database = [&] { return overview()["circuit_breakers"][1]; };
  CHECK(database()["outages"]["recent"].empty());
  CHECK(database()["last_failure"].is_null());
  CHECK(database()["held"].is_null());
  CHECK(database()["simulation"]["mode"] == "up");

  server.post("/api/simulate/database", {{"mode", "down"}});
  REQUIRE(eventually(10s, [&] { return database()["outages"]["recent"].size() == 1; }));
  CHECK(database()["simulation"]["mode"] == "down");
  REQUIRE(eventually(10s, [&] { return database()["outages"]["recent"][0]["failed_tries"] >= 2; }));
  const auto lasting = database()["outages"]["recent"][0];
  CHECK(lasting["number"] == 1);
  CHECK(lasting["ended"].is_null());
  CHECK(lasting["reason"] == "simulated failure");
  CHECK(lasting["last_try_at"].is_string());

  server.post("/api/simulate/database", {{"mode", "up"}});
  REQUIRE(eventually(10s, [&] { return database()["outages"]["recent"][0]["ended"].is_string(); }));
  REQUIRE(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
  CHECK(database()["probe"]["last_error"] == "");
  CHECK(database()["last_failure"]["reason"] == "simulated failure");
  CHECK(database()["last_failure"]["source"] == "probe");

  const auto shown = overview();
  CHECK(shown["at"].get<std::string>().ends_with('Z'));
  const auto& history = shown["degradation"]["score_history"];
  REQUIRE(history.size() >= 3);
  CHECK(std::ranges::any_of(history, [](const auto& point) { return point["level"] == "DEGRADED"; }));
  CHECK(history.back()["level"] == "OPTIMAL");
  const auto& transitions = shown["degradation"]["transitions"];
  for (std::size_t i = 0; i < transitions.size(); ++i) CHECK(transitions[i]["sequence"] == i + 1);
}

TEST_CASE("an override wins over health, shows who and why, and ends by itself", "[process]") {
  const staging_server server{quick()};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  const auto pinned =
      server.post("/api/degradation/override",
                  {{"level", "MINIMAL"}, {"reason", "maintenance"}, {"actor", "ops"}, {"expiry", 0.5}});
  CHECK(pinned.status == 200);
  CHECK(pinned.json()["degradation_level"] == "MINIMAL");
  CHECK(pinned.json()["level_by_health"] == "OPTIMAL");
  CHECK(pinned.json()["override"]["reason"] == "maintenance");
  CHECK(pinned.json()["override"]["actor"] == "ops");
  CHECK(server.get("/api/features").json()["allowed_by_level"] == 4);
  CHECK(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  CHECK(server.get("/api/degradation").json()["override"].is_null());
}

TEST_CASE("an override is released with a reason and a name, and both are shown", "[process]") {
  const staging_server server{quick()};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  const std::string path = "/api/degradation/override";
  const nlohmann::json cap{
      {"kind", "cap"}, {"level", "LIMITED"}, {"reason", "a move"}, {"actor", "ann"}, {"expiry", 600}};
  const nlohmann::json word{{"reason", "the move is over"}, {"actor", "bob"}};
  REQUIRE(server.post(path, cap).status == 200);
  const auto field_of = [&](const std::string& body) {
    const auto refused = server.remove(path, body);
    CHECK(refused.status == 400);
    return refused.json()["error"].value("field", "");
  };
  CHECK(field_of("") == "body");
  CHECK(server.remove(path, "").json()["error"]["message"] ==
        "The body is missing; it must be a JSON object, and these are allowed: reason, actor.");
  CHECK(field_of(R"({"actor":"bob"})") == "reason");
  CHECK(field_of(R"({"reason":"over"})") == "actor");
  CHECK(field_of(R"({"reason":"over","actor":"bob","expiry":1})") == "expiry");
  CHECK(server.health()["degradation_level"] == "LIMITED");

  const auto released = server.remove(path, word.dump());
  CHECK(released.status == 200);
  CHECK(released.json()["override"].is_null());
  const auto releases = released.json()["releases"];
  REQUIRE(releases.size() == 1);
  CHECK(releases[0]["sequence"] == 1);
  CHECK(releases[0]["actor"] == "bob");
  CHECK(releases[0]["reason"] == "the move is over");
  CHECK(releases[0]["at"].get<std::string>().ends_with('Z'));
  CHECK(eventually(2s, [&] {
    const auto lines = server.log();
    return std::ranges::any_of(lines, [](const auto& line) {
      return line.value("message", "") == "level released by operator" && line.value("actor", "") == "bob" &&
             line.value("reason", "") == "the move is over";
    });
  }));
  CHECK(server.remove(path, word.dump()).json()["releases"].size() == 1);  // there was nothing to release
}

TEST_CASE("calls that a simulated dependency answers slowly leave threads for /livez", "[process]") {
  const staging_server server{{{"HEALTH_CHECK_INTERVAL", "3600"}}};  // only the calls are slow
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  server.post("/api/simulate/database", {{"mode", "slow"}, {"latency_ms", 1500}});

  constexpr int calls = 60;  // more than the server has threads
  std::atomic<int> ended{0};
  std::vector<std::jthread> clients;
  for (int i = 0; i < calls; ++i) {
    clients.emplace_back([&] {
      httplib::Client client{"127.0.0.1", server.port()};
      client.set_read_timeout(20);
      static_cast<void>(client.Get("/api/inventory/stats", staging_server::with_key()));
      ++ended;
    });
  }
  double slowest = 0;
  do {
    const auto live = server.get("/livez", {});
    CHECK(live.status == 200);
    slowest = std::max(slowest, live.took.count());
  } while (ended < calls);
  CAPTURE(slowest);
  CHECK(slowest < 1'000);
}

TEST_CASE("a forwarded header names the client when it comes from a network of trusted proxies",
          "[process]") {
  auto environment = quick();
  environment["DASHBOARD_TRUSTED_PROXIES"] = "192.0.2.0/24, 127.0.0.0/8";
  const staging_server server{environment};
  auto headers = staging_server::with_key();
  headers.emplace("X-Forwarded-For", "203.0.113.9");
  headers.emplace("X-Request-ID", "forwarded");
  CHECK(server.get("/api/status", headers).status == 200);
  std::string client;
  CHECK(eventually(2s, [&] {
    for (const auto& line : server.log()) {
      if (line.at("request_id") == "forwarded") client = line.at("client");
    }
    return !client.empty();
  }));
  CHECK(client == "203.0.113.9");
}

TEST_CASE("the demo features say where their answer comes from", "[process]") {
  const staging_server server{quick()};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  const auto fresh = server.get("/api/inventory/stats").json();
  CHECK(fresh["source"] == "database");
  CHECK(fresh["simulated"] == true);
  CHECK(server.get("/api/recommendations").json()["source"] == "openai");

  server.act("database", "open");
  server.act("openai", "open");
  REQUIRE(eventually(5s, [&] { return server.shows(20, "EMERGENCY"); }));
  CHECK(server.get("/api/inventory/stats").status == 503);

  server.act("openai", "close");
  REQUIRE(eventually(5s, [&] {
    return server.shows(70, "MINIMAL") || server.shows(70, "LIMITED") || server.shows(70, "DEGRADED");
  }));
  const auto stale = server.get("/api/inventory/stats").json();
  CHECK(stale["source"] == "stale");
  CHECK(stale["age_seconds"].get<double>() > 0);
  CHECK(stale["items"] == fresh["items"]);
}
