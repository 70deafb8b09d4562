// SPDX-License-Identifier: BSL-1.0

// The 40 checks of the original staging system's smoke test, each a real one here.
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/real_system.hpp"
#include "staging/support/staging_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> names{"openai", "database", "redis", "s3"};

/// One server for all checks that do not need one of their own; healthy when it is handed out.
staging_server& server() {
  static staging_server shared{real_system::instance().environment()};
  for (const auto& name : names) {
    if (shared.get("/health").json()["components"][name]["state"] == "forced_open") {
      shared.act(name, "reset");
    }
  }
  if (!eventually(20s, [&] { return shared.shows(100, "OPTIMAL"); })) {
    throw std::runtime_error{"the server does not become healthy: " + shared.health().dump()};
  }
  return shared;
}

nlohmann::json breaker(const staging_server& from, const std::string& name) {
  const auto list = from.get("/api/circuit-breakers").json().at("circuit_breakers");
  for (const auto& one : list) {
    if (one.at("name") == name) return one;
  }
  throw std::runtime_error{"no breaker " + name};
}

/// Opens circuits by hand and waits for what the table says.
void degrade(const staging_server& to, const std::vector<std::string>& down, double score,
             const char* level) {
  for (const auto& name : down) CHECK(to.act(name, "open").status == 200);
  const bool reached = eventually(5s, [&] { return to.shows(score, level); });
  CAPTURE(to.health().dump());
  CHECK(reached);
}

/// A probe of this dependency succeeded: it is real, reachable and accepts our credentials.
void check_connectivity(const std::string& name) {
  const auto& one = server();
  const auto seen = breaker(one, name);
  const bool may_be_simulated = name == "openai" && !real_system::instance().has_openai();
  CHECK(seen["simulated"] == may_be_simulated);
  CHECK(seen["state"] == "closed");
  CHECK(seen["recent"]["successes"] >= 1);
  CHECK(seen["probe"]["last_error"] == "");
}

std::size_t allowed_features(const staging_server& from) {
  const auto view = from.get("/api/features").json();
  std::size_t allowed = 0;
  for (const auto& one : view.at("features")) allowed += one.at("allowed_by_level") == true ? 1U : 0U;
  CHECK(view.at("allowed_by_level") == allowed);
  return allowed;
}

/// Values of the samples of one metric, by their line without the value.
std::map<std::string, double> samples(const std::string& text, const std::string& metric) {
  std::map<std::string, double> found;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(metric + "{") && !line.starts_with(metric + " ")) continue;
    const auto space = line.rfind(' ');
    found[line.substr(0, space)] = std::stod(line.substr(space + 1));
  }
  return found;
}

double p95_of(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() * 95 / 100];
}

}  // namespace

TEST_CASE("smoke 01 connectivity: PostgreSQL answers SELECT 1", "[smoke]") {
  check_connectivity("database");
}
TEST_CASE("smoke 02 connectivity: Redis answers PONG", "[smoke]") {
  check_connectivity("redis");
}
TEST_CASE("smoke 03 connectivity: the S3 bucket accepts our signature", "[smoke]") {
  check_connectivity("s3");
}
TEST_CASE("smoke 04 connectivity: the OpenAI API accepts our key", "[smoke]") {
  check_connectivity("openai");
}

TEST_CASE("smoke 05 health: /health answers 200 with every original field", "[smoke]") {
  const auto health = server().get("/health");
  REQUIRE(health.status == 200);
  const auto seen = health.json();
  CHECK(seen["status"] == "healthy");
  CHECK(seen["database"] == "connected");
  CHECK(seen["services"] == nlohmann::json{{"dashboard", "ok"}, {"analytics", "ok"}, {"api", "ok"}});
  CHECK(seen["timestamp"].get<std::string>().size() == std::string{"2025-10-19T06:22:43.158269"}.size());
}

TEST_CASE("smoke 06 health: the score is 100 and the level OPTIMAL when all are up", "[smoke]") {
  const auto seen = server().health();
  CHECK(seen["health_score"] == 100.0);
  CHECK(seen["degradation_level"] == "OPTIMAL");
}

TEST_CASE("smoke 07 health: each component shows state, score, weight and latency", "[smoke]") {
  const auto components = server().health()["components"];
  REQUIRE(components.size() == 4);
  const std::map<std::string, double> weights{
      {"openai", 0.5}, {"database", 0.3}, {"redis", 0.15}, {"s3", 0.05}};
  for (const auto& [name, weight] : weights) {
    INFO(name);
    CHECK(components[name]["state"] == "closed");
    CHECK(components[name]["score"] == 100.0);
    CHECK(components[name]["weight"].get<double>() == Approx(weight));
    CHECK(components[name]["mean_latency_ms"].get<double>() > 0);
  }
}

TEST_CASE("smoke 08 health: liveness and readiness need no key and tell no details", "[smoke]") {
  const auto live = server().get("/livez", {});
  const auto ready = server().get("/readyz", {});
  CHECK(live.status == 200);
  CHECK(ready.status == 200);
  CHECK(live.json() == nlohmann::json{{"status", "ok"}});
  CHECK(ready.json() == nlohmann::json{{"status", "ready"}});
}

TEST_CASE("smoke 09 breakers: all four are there, closed, with their configured thresholds", "[smoke]") {
  const std::map<std::string, int> thresholds{{"openai", 5}, {"database", 3}, {"redis", 5}, {"s3", 4}};
  const std::map<std::string, int> probes{{"openai", 2}, {"database", 1}, {"redis", 2}, {"s3", 2}};
  for (const auto& [name, threshold] : thresholds) {
    INFO(name);
    const auto seen = breaker(server(), name);
    CHECK(seen["state"] == "closed");
    CHECK(seen["failure_threshold"] == threshold);
    CHECK(seen["half_open"]["needed"] == probes.at(name));
    CHECK(seen["recovery_timeout_seconds"] == 0.5);
  }
}

TEST_CASE("smoke 10 breakers: opened by hand one refuses until it is closed", "[smoke]") {
  auto& one = server();
  CHECK(one.act("redis", "open").json()["state"] == "forced_open");
  CHECK(breaker(one, "redis")["retry_after_seconds"].is_null());
  CHECK(one.act("redis", "close").json()["state"] == "closed");
  CHECK(eventually(5s, [&] { return one.shows(100, "OPTIMAL"); }));
}

TEST_CASE("smoke 11 breakers: failures open one, and it closes by itself when they end", "[smoke]") {
  auto& one = server();
  auto& redis = real_system::instance().server("redis");
  redis.freeze();
  const bool opened = eventually(20s, [&] { return breaker(one, "redis")["state"] == "open"; });
  redis.thaw();
  CHECK(opened);
  CHECK(eventually(20s, [&] { return breaker(one, "redis")["state"] == "closed"; }));
  std::set<std::pair<std::string, std::string>> seen;
  const auto degradation = one.get("/api/degradation").json();
  for (const auto& change : degradation.at("circuit_changes")) {
    if (change["dependency"] == "redis") seen.emplace(change["from"], change["to"]);
  }
  CHECK(seen.contains({"closed", "open"}));
  CHECK(seen.contains({"open", "half_open"}));
  CHECK(seen.contains({"half_open", "closed"}));
}

TEST_CASE("smoke 12 breakers: an unknown name is 404 and a wrong method 405", "[smoke]") {
  CHECK(server().act("mainframe", "open").status == 404);
  const auto wrong = server().get("/api/circuit-breakers/redis/open");
  CHECK(wrong.status == 405);
  CHECK(wrong.header("Allow") == "POST");
}

TEST_CASE("smoke 13 levels: OPTIMAL with s3 open", "[smoke]") {
  degrade(server(), {"s3"}, 95, "OPTIMAL");
}
TEST_CASE("smoke 14 levels: DEGRADED with redis open", "[smoke]") {
  degrade(server(), {"redis"}, 85, "DEGRADED");
}
TEST_CASE("smoke 15 levels: LIMITED with database and s3 open", "[smoke]") {
  degrade(server(), {"database", "s3"}, 65, "LIMITED");
}
TEST_CASE("smoke 16 levels: MINIMAL with openai open", "[smoke]") {
  degrade(server(), {"openai"}, 50, "MINIMAL");
}
TEST_CASE("smoke 17 levels: EMERGENCY with openai and database open: 503 and a Retry-After", "[smoke]") {
  auto& one = server();
  degrade(one, {"openai", "database"}, 20, "EMERGENCY");
  const auto health = one.get("/health");
  CHECK(health.status == 503);
  CHECK(std::stoi(health.header("Retry-After")) >= 1);
  CHECK(one.get("/readyz", {}).status == 503);
  CHECK(one.get("/livez", {}).status == 200);
}

TEST_CASE("smoke 18 features: 16 are allowed at OPTIMAL", "[smoke]") {
  CHECK(allowed_features(server()) == 16);
}
TEST_CASE("smoke 19 features: 12 are allowed at DEGRADED, and those of redis are off", "[smoke]") {
  auto& one = server();
  degrade(one, {"redis"}, 85, "DEGRADED");
  CHECK(allowed_features(one) == 12);
  const auto view = one.get("/api/features").json();
  for (const auto& feature : view.at("features")) {
    if (feature["name"] != "redis_cache") continue;
    CHECK(feature["allowed_by_level"] == true);
    CHECK(feature["available"] == false);
    CHECK(feature["blocked_by"] == nlohmann::json{"redis"});
  }
}
TEST_CASE("smoke 20 features: 8 are allowed at LIMITED", "[smoke]") {
  auto& one = server();
  degrade(one, {"database", "s3"}, 65, "LIMITED");
  CHECK(allowed_features(one) == 8);
}
TEST_CASE("smoke 21 features: 4 are allowed at MINIMAL, and the recommendations fall back to rules",
          "[smoke]") {
  auto& one = server();
  degrade(one, {"openai"}, 50, "MINIMAL");
  CHECK(allowed_features(one) == 4);
  const auto advice = one.get("/api/recommendations");
  CHECK(advice.status == 200);
  CHECK(advice.json()["source"] == "rules");
}

TEST_CASE("smoke 22 metrics: Prometheus text with the key as header or as bearer token", "[smoke]") {
  const auto by_header = server().get("/metrics");
  const auto by_bearer =
      server().get("/metrics", {{"Authorization", std::string{"Bearer "} + staging_server::key}});
  CHECK(by_header.status == 200);
  CHECK(by_bearer.status == 200);
  CHECK(by_header.header("Content-Type").starts_with("text/plain; version=0.0.4"));
}
TEST_CASE("smoke 23 metrics: health score and level are those of /health", "[smoke]") {
  auto& one = server();
  degrade(one, {"redis"}, 85, "DEGRADED");
  const auto text = one.get("/metrics").body;
  CHECK(samples(text, "brownout_health_score")["brownout_health_score"] == 85);
  const auto levels = samples(text, "brownout_degradation_level");
  CHECK(levels.size() == 5);
  CHECK(levels.at("brownout_degradation_level{level=\"DEGRADED\"}") == 1);
  CHECK(levels.at("brownout_degradation_level{level=\"OPTIMAL\"}") == 0);
}
TEST_CASE("smoke 24 metrics: circuits show their state and their transitions", "[smoke]") {
  auto& one = server();
  const std::string series =
      R"(brownout_circuit_transitions_total{dependency="s3",from="closed",to="forced_open"})";
  // Absent until it happens.
  const auto before = samples(one.get("/metrics").body, "brownout_circuit_transitions_total")[series];
  degrade(one, {"s3"}, 95, "OPTIMAL");
  const auto text = one.get("/metrics").body;
  CHECK(samples(text, "brownout_circuit_transitions_total").at(series) == before + 1);
  const auto states = samples(text, "brownout_circuit_state");
  CHECK(states.size() == 24);
  CHECK(states.at(R"(brownout_circuit_state{dependency="s3",state="forced_open"})") == 1);
  CHECK(states.at(R"(brownout_circuit_state{dependency="s3",state="closed"})") == 0);
}
TEST_CASE("smoke 25 metrics: requests are counted by route and status, with their duration", "[smoke]") {
  auto& one = server();
  const auto count = [&](const std::string& metric, const std::string& series) {
    const auto all = samples(one.get("/metrics").body, metric);
    const auto found = all.find(series);
    return found == all.end() ? 0 : found->second;
  };
  const std::string total = R"(dashboard_requests_total{route="status",status="200"})";
  const std::string duration = R"(dashboard_request_duration_seconds_count{route="status",status="200"})";
  const std::string errors = R"(dashboard_errors_total{route="other",status="404"})";
  const auto total_before = count("dashboard_requests_total", total);
  const auto duration_before = count("dashboard_request_duration_seconds_count", duration);
  const auto errors_before = count("dashboard_errors_total", errors);
  CHECK(one.get("/api/status").status == 200);
  CHECK(one.get("/nowhere").status == 404);
  CHECK(count("dashboard_requests_total", total) == total_before + 1);
  CHECK(count("dashboard_request_duration_seconds_count", duration) == duration_before + 1);
  CHECK(count("dashboard_errors_total", errors) == errors_before + 1);
  CHECK(count("dashboard_uptime_seconds", "dashboard_uptime_seconds") > 0);
}

TEST_CASE("smoke 26 performance: the API answers in less than 500 ms", "[smoke]") {
  std::vector<double> took;
  for (int i = 0; i < 100; ++i) took.push_back(server().get("/api/status").took.count());
  CHECK(p95_of(took) < 500);
}
TEST_CASE("smoke 27 performance: a probe of the database takes less than 200 ms", "[smoke]") {
  const auto seen = breaker(server(), "database");
  CHECK(seen["recent"]["mean_latency_ms"].get<double>() > 0);
  CHECK(seen["recent"]["mean_latency_ms"].get<double>() < 200);
}

TEST_CASE("smoke 28 security: no key, a wrong key and a nearly right one get 401", "[smoke]") {
  for (const auto& headers :
       std::vector<httplib::Headers>{{},
                                     {{"X-API-Key", "wrong"}},
                                     {{"X-API-Key", std::string{staging_server::key} + "x"}},
                                     {{"Authorization", "Bearer wrong"}}}) {
    const auto refused = server().get("/health", headers);
    CHECK(refused.status == 401);
    CHECK(refused.json()["error"]["request_id"] == refused.header("X-Request-ID"));
  }
}
TEST_CASE("smoke 29 security: every answer carries the security headers", "[smoke]") {
  for (const auto& answer :
       {server().get("/health"), server().get("/health", {}), server().get("/nowhere")}) {
    CHECK(answer.header("X-Content-Type-Options") == "nosniff");
    CHECK(answer.header("X-Frame-Options") == "DENY");
    CHECK(answer.header("Referrer-Policy") != "");
    CHECK(answer.header("Permissions-Policy") != "");
    const auto policy = answer.header("Content-Security-Policy");
    CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
    CHECK(policy.find("unsafe-inline") == std::string::npos);
  }
}
TEST_CASE("smoke 30 security: no secret stands in any answer or log line", "[smoke]") {
  auto& one = server();
  std::string shown;
  for (const auto* path :
       {"/health", "/metrics", "/api/status", "/api/circuit-breakers", "/api/degradation"}) {
    shown += one.get(path).body;
  }
  shown += one.child().out() + one.child().err();
  CHECK(shown.find(staging_server::key) == std::string::npos);
  const auto environment = real_system::instance().environment();
  for (const auto* secret : {"DATABASE_URL", "REDIS_PASSWORD", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY"}) {
    const auto found = environment.find(secret);
    if (found == environment.end()) continue;
    INFO(secret);
    CHECK(shown.find(found->second) == std::string::npos);
  }
}

TEST_CASE("smoke 31 rate limit: the request over the limit gets 429 and is told when to come back",
          "[smoke]") {
  const staging_server limited{
      {{"DASHBOARD_RATELIMIT_ENABLED", "true"}, {"DASHBOARD_RATELIMIT_REQUESTS", "5"}}};
  for (int i = 0; i < 5; ++i) CHECK(limited.get("/api/status").status == 200);
  const auto refused = limited.get("/api/status");
  CHECK(refused.status == 429);
  CHECK(std::stoi(refused.header("Retry-After")) >= 1);
  CHECK(refused.header("RateLimit-Remaining") == "0");
  CHECK(limited.get("/livez", {}).status == 200);
}
TEST_CASE("smoke 32 rate limit: answers say what is left, 100 in 60 s by default", "[smoke]") {
  const staging_server limited{{{"DASHBOARD_RATELIMIT_ENABLED", "true"}}};
  const auto first = limited.get("/api/status");
  const auto second = limited.get("/api/status");
  CHECK(first.header("RateLimit-Limit") == "100");
  CHECK(first.header("RateLimit-Remaining") == "99");
  CHECK(second.header("RateLimit-Remaining") == "98");
  const int reset = std::stoi(first.header("RateLimit-Reset"));
  CHECK(reset > 0);
  CHECK(reset <= 60);
}

TEST_CASE("smoke 33 logging: each request is one JSON object with its id, route, status and duration",
          "[smoke]") {
  auto& one = server();
  auto headers = staging_server::with_key();
  headers.emplace("X-Request-ID", "smoke-33");
  CHECK(one.get("/api/status", headers).header("X-Request-ID") == "smoke-33");
  std::optional<nlohmann::json> line;
  CHECK(eventually(2s, [&] {
    for (const auto& entry : one.log()) {
      if (entry.at("request_id") == "smoke-33") line = entry;
    }
    return line.has_value();
  }));
  REQUIRE(line);
  CHECK(line->at("route") == "status");
  CHECK(line->at("status") == 200);
  CHECK(line->at("duration_ms").get<double>() > 0);
}
TEST_CASE("smoke 34 logging: every line has time, level, message and request_id, whatever clients send",
          "[smoke]") {
  auto& one = server();
  auto headers = staging_server::with_key();
  headers.emplace("X-Request-ID", "not \"well\" formed");
  const auto answered = one.get("/no/such\"path", headers);
  CHECK(answered.header("X-Request-ID") != "not \"well\" formed");
  for (const auto& line : one.log()) {
    CHECK(line.contains("time"));
    CHECK(line.contains("level"));
    CHECK(line.contains("message"));
    CHECK(line.contains("request_id"));
  }
}

namespace {
void check_configured(const std::string& name) {
  const bool may_be_simulated = name == "openai" && !real_system::instance().has_openai();
  CHECK(server().get("/api/status").json()["simulated"][name] == may_be_simulated);
}
finished check_config(variables environment) {
  return run({BROWNOUT_STAGING_SERVER, "--check-config"}, environment, 10s);
}
}  // namespace

TEST_CASE("smoke 35 environment: PostgreSQL is configured", "[smoke]") {
  check_configured("database");
}
TEST_CASE("smoke 36 environment: Redis is configured", "[smoke]") {
  check_configured("redis");
}
TEST_CASE("smoke 37 environment: S3 is configured", "[smoke]") {
  check_configured("s3");
}
TEST_CASE("smoke 38 environment: OpenAI is configured", "[smoke]") {
  check_configured("openai");
}
TEST_CASE("smoke 39 environment: the whole configuration is valid", "[smoke]") {
  auto environment = real_system::instance().environment();
  environment["DASHBOARD_API_KEY"] = staging_server::key;
  const auto checked = check_config(environment);
  CHECK(checked.status == 0);
  CHECK(checked.err == "");
}
TEST_CASE("smoke 40 environment: without the API's key the server refuses to start", "[smoke]") {
  const auto checked = check_config(real_system::instance().environment());
  CHECK(checked.status == 2);
  CHECK(checked.err.find("DASHBOARD_API_KEY") != std::string::npos);
}
