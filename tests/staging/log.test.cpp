// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/free_port.hpp"
#include "staging/support/full_pipe.hpp"
#include "staging/support/silent_listener.hpp"
#include "staging/support/staging_server.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

/// Lines of its log that a server says it dropped.
int dropped_by(const staging_server& server) {
  const auto metrics = server.get("/metrics").body;
  const std::string sample = "\ndashboard_log_lines_dropped_total ";
  REQUIRE(metrics.find(sample) != std::string::npos);
  return std::stoi(metrics.substr(metrics.find(sample) + sample.size()));
}

}  // namespace

TEST_CASE("a standard output that nobody reads delays neither requests nor shutdown", "[process]") {
  const full_pipe unread;
  staging_server server{{}, unread.writer()};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));  // until then /health says 503

  httplib::Client client{"127.0.0.1", server.port()};
  client.set_keep_alive(true);
  int answered = 0;
  std::chrono::steady_clock::duration slowest{};
  const auto ask = [&](const char* path, const httplib::Headers& headers) {
    const auto asked = std::chrono::steady_clock::now();
    const auto got = client.Get(path, headers);
    slowest = std::max(slowest, std::chrono::steady_clock::now() - asked);
    if (got && got->status == 200) ++answered;
  };
  // More lines than the pipe and the log's own queue hold.
  for (int i = 0; i < 2'500; ++i) {
    ask("/livez", {});
    ask("/health", staging_server::with_key());
  }
  CHECK(answered == 5'000);
  CHECK(slowest < 1s);
  CHECK(dropped_by(server) > 0);

  server.child().signal(SIGTERM);
  CHECK(server.child().wait(2s) == 0);
}

TEST_CASE("lines that a full disk does not take are counted", "[process]") {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  staging_server server{{}, full};
  close(full);
  CHECK(eventually(5s, [&] { return dropped_by(server) > 0; }));
  server.child().signal(SIGTERM);
  CHECK(server.child().wait(2s) == 0);
}

TEST_CASE("a standard output that is closed is no socket of the server", "[process]") {
  const auto port = free_port();
  process server{{"sh", "-c", R"(exec "$0" >&-)", BROWNOUT_STAGING_SERVER},
                 {{"API_PORT", std::to_string(port)}, {"SHUTDOWN_DRAIN", "0"}}};
  REQUIRE(eventually(10s, [&] {
    const auto live = httplib::Client{"127.0.0.1", port}.Get("/livez");
    return live && live->status == 200;
  }));
  CHECK(std::filesystem::read_symlink("/proc/" + std::to_string(server.id()) + "/fd/1") == "/dev/null");
}

TEST_CASE("every time is UTC and says so, but for the one that the original system shows", "[process]") {
  const staging_server server{{{"HEALTH_CHECK_INTERVAL", "0.05"}}};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  server.act("redis", "open");
  REQUIRE(eventually(5s, [&] { return server.shows(85, "DEGRADED"); }));

  std::vector<std::string> times;
  const auto collect = [&](const nlohmann::json& in, auto& self) -> void {
    for (const auto& [name, value] : in.items()) {
      if (value.is_string() && (name == "time" || name == "at" || name == "since" || name == "last_at" ||
                                name == "began" || name == "ended" || name == "last_try_at"))
        times.push_back(value);
      if (value.is_structured()) self(value, self);
    }
  };
  for (const auto* path : {"/api/circuit-breakers", "/api/degradation"})
    collect(server.get(path).json(), collect);
  const auto answered = times.size();
  for (const auto* change : {"circuit changed", "level changed"}) {
    CHECK(eventually(5s, [&] {
      const auto lines = server.log();
      return std::ranges::any_of(lines, [&](const auto& line) { return line.at("message") == change; });
    }));
  }
  for (const auto& line : server.log()) collect(line, collect);
  CHECK(answered >= 8 + 2);
  CHECK(times.size() > answered);
  for (const auto& time : times) {
    CAPTURE(time);
    CHECK(time.size() == std::string{"2025-10-19T06:22:43.158269Z"}.size());
    CHECK(time.ends_with('Z'));
  }
  CHECK_FALSE(server.health().at("timestamp").get<std::string>().ends_with('Z'));
}

namespace {

/// The lines that tell of the circuit of a dependency.
std::vector<nlohmann::json> lines_about(const staging_server& server, const std::string& dependency) {
  std::vector<nlohmann::json> about;
  for (const auto& line : server.log()) {
    if (line.value("dependency", "") == dependency && line.contains("to")) about.push_back(line);
  }
  return about;
}

bool has_ended(const staging_server& server, const std::string& dependency) {
  const auto about = lines_about(server, dependency);
  return !about.empty() && about.back()["message"] == "outage ended";
}

/// An outage as the log tells it: its beginning, its end, nothing else above debug, and always why.
void check_outage(const std::vector<nlohmann::json>& about, const std::string& reason) {
  REQUIRE(about.size() >= 2);
  for (const auto& line : about) {
    CAPTURE(line.dump());
    CHECK(line["reason"] == reason);
    const bool between = &line != &about.front() && &line != &about.back();
    CHECK((line["level"] == "debug") == between);
  }
  CHECK(about.front()["message"] == "outage began");
  CHECK(about.front()["level"] == "warning");
  CHECK(about.back()["message"] == "outage ended");
  CHECK(about.back()["seconds"] > 0);
}

}  // namespace

TEST_CASE("an outage that probes find is one line when it begins and one when it ends, and always says why",
          "[process]") {
  const std::string name = GENERATE("openai", "database", "redis", "s3");
  CAPTURE(name);
  variables environment{{"HEALTH_CHECK_INTERVAL", "0.05"}, {"DASHBOARD_LOG_LEVEL", "debug"}};
  for (const auto* prefix : {"OPENAI", "DB", "REDIS", "S3"}) {
    environment[std::string{prefix} + "_CB_RECOVERY_TIMEOUT"] = "0.2";
  }
  const staging_server server{environment};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  server.post("/api/simulate/" + name, {{"mode", "down"}});
  REQUIRE(eventually(10s, [&] { return lines_about(server, name).size() >= 6; }));  // three cycles
  server.post("/api/simulate/" + name, {{"mode", "up"}});
  REQUIRE(eventually(10s, [&] { return has_ended(server, name); }));
  const auto about = lines_about(server, name);
  check_outage(about, "simulated failure");
  CHECK(about.back()["tries"] >= 3);
}

TEST_CASE("an outage that calls find says why as well", "[process]") {
  const auto& [name, path] = GENERATE(table<std::string, std::string>({
      {"openai", "/api/recommendations"},
      {"database", "/api/inventory/stats"},
      {"redis", "/api/inventory/stats"},
  }));
  CAPTURE(name);
  // The first probes succeed, and the next ones come when the circuit is open: only calls can open it.
  const staging_server server{{{"HEALTH_CHECK_INTERVAL", "3600"},
                               {"OPENAI_CB_RECOVERY_TIMEOUT", "0.2"},
                               {"DB_CB_RECOVERY_TIMEOUT", "0.2"},
                               {"REDIS_CB_RECOVERY_TIMEOUT", "0.2"},
                               {"DASHBOARD_LOG_LEVEL", "debug"}}};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  // Else the level may fall after two failures, and take the feature away that makes the calls.
  server.post("/api/degradation/override",
              {{"level", "OPTIMAL"}, {"reason", "a test"}, {"actor", "ann"}, {"expiry", 60}});
  server.post("/api/simulate/" + name, {{"mode", "down"}});
  for (int i = 0; i < 5; ++i) static_cast<void>(server.get(path));
  REQUIRE(eventually(10s, [&] { return lines_about(server, name).size() >= 3; }));
  server.post("/api/simulate/" + name, {{"mode", "up"}});
  REQUIRE(eventually(10s, [&] { return has_ended(server, name); }));
  check_outage(lines_about(server, name), "simulated failure");
}

namespace {

/// The members of the last line of a request to a route that tell where its answer came from.
nlohmann::json told_of(const staging_server& server, const std::string& route) {
  nlohmann::json told;
  static_cast<void>(eventually(5s, [&] {
    for (const auto& line : server.log()) {
      if (line.value("route", "") == route) told = line;
    }
    return !told.is_null();
  }));
  for (const auto* name :
       {"time", "level", "message", "request_id", "method", "route", "path", "duration_ms", "client"}) {
    told.erase(name);
  }
  return told;
}

}  // namespace

TEST_CASE("the line of a request says where its answer came from, and what did not answer", "[process]") {
  const variables environment{{"HEALTH_CHECK_INTERVAL", "3600"}, {"DEGRADATION_DWELL", "0.1"}};
  const auto line_of = [&](const std::vector<std::string>& down, const std::vector<std::string>& held,
                           const std::string& route, const std::string& path) {
    const staging_server server{environment};
    REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
    for (const auto& name : down) server.post("/api/simulate/" + name, {{"mode", "down"}});
    for (const auto& name : held) server.act(name, "open");
    static_cast<void>(server.get(path));
    return told_of(server, route);
  };
  const auto stock = [&](const std::vector<std::string>& down, const std::vector<std::string>& held = {}) {
    return line_of(down, held, "inventory_stats", "/api/inventory/stats");
  };
  const auto advice = [&](const std::vector<std::string>& down, const std::vector<std::string>& held = {}) {
    return line_of(down, held, "recommendations", "/api/recommendations");
  };
  using json = nlohmann::json;
  const json inventory{{"feature", "inventory_management"}};
  const auto with = [](json base, const json& more) {
    base.update(more);
    return base;
  };
  CHECK(stock({}) ==
        with(inventory, {{"status", 200}, {"source", "database"}, {"degradation_level", "OPTIMAL"}}));
  CHECK(stock({"redis"}) == with(inventory, {{"status", 200},
                                             {"source", "database"},
                                             {"degradation_level", "OPTIMAL"},
                                             {"dependency", "redis"},
                                             {"reason", "simulated failure"}}));
  CHECK(stock({"database"}) == with(inventory, {{"status", 503},
                                                {"source", "none"},
                                                {"degradation_level", "OPTIMAL"},
                                                {"dependency", "database"},
                                                {"reason", "simulated failure"},
                                                {"error", "feature_unavailable"}}));
  const json recommendations{{"feature", "ai_recommendations"}};
  CHECK(advice({}) ==
        with(recommendations, {{"status", 200}, {"source", "openai"}, {"degradation_level", "OPTIMAL"}}));
  CHECK(advice({"openai"}) == with(recommendations, {{"status", 200},
                                                     {"source", "rules"},
                                                     {"degradation_level", "OPTIMAL"},
                                                     {"dependency", "openai"},
                                                     {"reason", "simulated failure"}}));
  const auto held = advice({}, {"openai"});
  CHECK(held["source"] == "rules");
  CHECK(held["dependency"] == "openai");
  const auto dark = stock({}, {"openai", "database"});
  CHECK(dark["status"] == 503);
  CHECK(dark["source"] == "none");
  CHECK(dark["degradation_level"] == "EMERGENCY");
  CHECK(dark["error"] == "feature_unavailable");
  CHECK(dark["reason"].get<std::string>().find("read_only_access is ") == 0);
  CHECK(line_of({}, {}, "other", "/no/such/path")["error"] == "not_found");
}

TEST_CASE("answers are counted by where they came from, from zero on", "[metrics]") {
  const staging_server server{{{"HEALTH_CHECK_INTERVAL", "3600"}}};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  const auto count = [&](const std::string& source) {
    const auto page = server.get("/metrics").body;
    const auto sample =
        "\ndashboard_answers_total{feature=\"ai_recommendations\",source=\"" + source + "\"} ";
    const auto at = page.find(sample);
    return at == std::string::npos ? -1 : std::stoi(page.substr(at + sample.size()));
  };
  CHECK(count("openai") == 0);
  CHECK(count("rules") == 0);
  static_cast<void>(server.get("/api/recommendations"));
  CHECK(count("openai") == 1);
  server.post("/api/simulate/openai", {{"mode", "down"}});
  static_cast<void>(server.get("/api/recommendations"));
  CHECK(count("openai") == 1);
  CHECK(count("rules") == 1);
}

namespace {

std::vector<nlohmann::json> lines_saying(const staging_server& server, const std::string& message) {
  std::vector<nlohmann::json> found;
  for (const auto& line : server.log()) {
    if (line["message"] == message) found.push_back(line);
  }
  return found;
}

nlohmann::json circuit_of_openai(const staging_server& server) {
  return server.get("/api/circuit-breakers").json()["circuit_breakers"][0];
}

}  // namespace

TEST_CASE(
    "a dependency in trouble whose circuit stays closed has one line when that begins and one at its end",
    "[process]") {
  const std::string kind = GENERATE("slow", "failing");
  CAPTURE(kind);
  // Latency costs points from 50 ms on, so that the test need not be slow itself.
  const staging_server server{{{"HEALTH_CHECK_INTERVAL", "0.05"},
                               {"HEALTH_LATENCY_BUDGET", "0.05"},
                               {"HEALTH_LATENCY_MS_PER_POINT", "1"},
                               {"S3_CB_FAILURE_THRESHOLD", "1000"}}};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  nlohmann::json how{{"mode", "slow"}, {"latency_ms", 200}};
  if (kind == "failing") how = {{"mode", "flaky"}, {"error_rate", 0.6}};
  server.post("/api/simulate/s3", how);
  REQUIRE(eventually(30s, [&] { return !lines_saying(server, "trouble began").empty(); }));
  const auto circuit = server.get("/api/circuit-breakers").json()["circuit_breakers"][3];
  CHECK(circuit["trouble"] == kind);
  server.post("/api/simulate/s3", {{"mode", "up"}});
  REQUIRE(eventually(30s, [&] { return !lines_saying(server, "trouble ended").empty(); }));

  const auto began = lines_saying(server, "trouble began");
  REQUIRE(began.size() == 1);
  CHECK(began[0]["level"] == "warning");
  CHECK(began[0]["dependency"] == "s3");
  CHECK(began[0]["trouble"] == kind);
  CHECK(began[0]["score"] < 80);
  CHECK((began[0]["recent_failures"] > 0) == (kind == "failing"));
  CHECK((began[0]["mean_latency_ms"] > 50) == (kind == "slow"));
  const auto ended = lines_saying(server, "trouble ended");
  REQUIRE(ended.size() == 1);
  CHECK(ended[0]["trouble"] == kind);
  CHECK(ended[0]["circuit"] == "closed");
  CHECK(ended[0]["seconds"] >= 5);
  CHECK(ended[0]["lowest_score"] < 80);
  CHECK(lines_about(server, "s3").empty());
}

TEST_CASE("an outage that only probes have ended is not called over before a call has succeeded",
          "[process]") {
  const staging_server server{{{"HEALTH_CHECK_INTERVAL", "0.05"},
                               {"OPENAI_CB_RECOVERY_TIMEOUT", "0.2"},
                               {"DEGRADATION_DWELL", "60"}}};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  CHECK(circuit_of_openai(server)["outages"]["call_succeeded_since"] == nullptr);
  for (std::size_t times = 1; times <= 2; ++times) {
    server.post("/api/simulate/openai", {{"mode", "down"}});
    REQUIRE(eventually(10s, [&] { return lines_saying(server, "outage began").size() == times; }));
    CHECK(circuit_of_openai(server)["outages"]["call_succeeded_since"] == nullptr);
    server.post("/api/simulate/openai", {{"mode", "up"}});
    REQUIRE(eventually(10s, [&] { return lines_saying(server, "outage ended").size() == times; }));
    CHECK(circuit_of_openai(server)["outages"]["call_succeeded_since"] == false);
    CHECK(lines_saying(server, "outage ended").back()["call_succeeded"] == false);
  }
  // Meanwhile the level was never back at OPTIMAL.
  CHECK_FALSE(lines_saying(server, "outage began")[0].contains("relapse"));
  CHECK(lines_saying(server, "outage began")[1]["relapse"] == 1);
  CHECK(lines_saying(server, "first call after outage succeeded").empty());

  // At this level the feature is off, and no call would be made.
  server.post("/api/degradation/override",
              {{"level", "OPTIMAL"}, {"reason", "a test"}, {"actor", "ann"}, {"expiry", 60}});
  CHECK(server.get("/api/recommendations").json()["source"] == "openai");
  CHECK(circuit_of_openai(server)["outages"]["call_succeeded_since"] == true);
  REQUIRE(
      eventually(5s, [&] { return lines_saying(server, "first call after outage succeeded").size() == 1; }));
  CHECK(lines_saying(server, "first call after outage succeeded")[0]["dependency"] == "openai");
}

TEST_CASE("a call and a probe that get no answer say so in the same words", "[process]") {
  const silent_listener redis;
  const staging_server server{{{"HEALTH_CHECK_INTERVAL", "0.1"},
                               {"REDIS_HOST", "127.0.0.1"},
                               {"REDIS_PORT", std::to_string(redis.port())},
                               {"REDIS_TIMEOUT", "1"}}};
  CHECK(server.get("/api/inventory/stats").status == 200);
  CHECK(told_of(server, "inventory_stats")["reason"] == "no answer within 1s");
  CHECK(eventually(5s, [&] {
    const auto circuit = server.get("/api/circuit-breakers").json()["circuit_breakers"][2];
    return circuit["probe"]["last_error"] == "no answer within 1s";
  }));
}
