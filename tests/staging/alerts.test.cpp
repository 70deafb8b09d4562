// SPDX-License-Identifier: BSL-1.0

// Each alert of examples/staging/monitoring, by a real failure of running servers, as a real Prometheus and a
// real Alertmanager see it. All failures happen at once, each on a server of its own where they would disturb
// each other.
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/failures.hpp"
#include "staging/support/free_port.hpp"
#include "staging/support/full_pipe.hpp"
#include "staging/support/monitoring.hpp"
#include "staging/support/real_server.hpp"
#include "staging/support/silent_listener.hpp"
#include "staging/support/staging_server.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

/// An alert that must fire. Without a dependency: whatever its dependency is.
struct expected_alert {
  std::string alert;
  std::string instance;
  std::string dependency{};
};

const std::vector<expected_alert> expected{
    {"ServerDown", "crashing"},
    {"ServerRestarts", "crashing"},
    {"DependencySimulated", "crashing", "redis"},
    {"Emergency", "dark"},
    {"CircuitHeldByHand", "dark"},
    {"ClientsRefused", "dark"},
    {"LevelWorse", "outage"},
    {"CircuitNotClosed", "outage", "database"},
    {"ServerErrors", "outage"},
    {"LevelFlaps", "flapping"},
    {"CircuitFlaps", "flapping", "redis"},
    {"SlowAnswers", "flapping"},
    {"ProbeHangs", "blind", "openai"},
    {"HalfBlind", "blind"},
    {"PoolExhausted", "slow"},
    {"LateResults", "slow", "openai"},
    {"OverrideForgotten", "slow"},
    {"ConnectionsRefused", "loaded"},
    {"FewDescriptorsLeft", "cramped"},
    {"LogLinesDropped", "unread"},
};

bool is_about(const notification& one, const expected_alert& wanted) {
  return one.labels.value("alertname", "") == wanted.alert &&
         one.labels.value("instance", "") == wanted.instance &&
         (wanted.dependency.empty() || one.labels.value("dependency", "") == wanted.dependency);
}

/// The expected alerts of which nothing received satisfies `holds`.
std::string those_without(const std::vector<notification>& received,
                          const std::function<bool(const std::vector<notification>&)>& holds) {
  std::string missing;
  for (const auto& wanted : expected) {
    std::vector<notification> about;
    std::ranges::copy_if(received, std::back_inserter(about),
                         [&](const auto& one) { return is_about(one, wanted); });
    if (!holds(about)) missing += wanted.alert + " of " + wanted.instance + "\n";
  }
  return missing;
}

std::string not_fired(const std::vector<notification>& received) {
  return those_without(received, [](const auto& about) {
    return std::ranges::any_of(about, [](const auto& one) { return one.has_fired; });
  });
}

std::string still_firing(const std::vector<notification>& received) {
  return those_without(received, [](const auto& about) {
    return std::ranges::none_of(about, [](const auto& one) { return one.firing; });
  });
}

variables impatient(variables more = {}) {
  more.insert(
      {{"HEALTH_CHECK_INTERVAL", "0.2"}, {"DEGRADATION_HYSTERESIS", "0"}, {"DEGRADATION_DWELL", "0.1"}});
  for (const auto* prefix : {"OPENAI", "DB", "REDIS", "S3"}) {
    more.emplace(std::string{prefix} + "_CB_RECOVERY_TIMEOUT", "0.5");
  }
  return more;
}

const nlohmann::json by_hand{{"reason", "a test of the alerts"}, {"actor", "the tests"}};

/// Status of the answer to an order, 0 without one. Called on several threads, so it checks nothing itself.
int order(const staging_server& server, const std::string& path, const nlohmann::json& body) {
  httplib::Client client{"127.0.0.1", server.port()};
  client.set_read_timeout(10);
  const auto answer = client.Post(path, staging_server::with_key(), body.dump(), "application/json");
  return answer ? answer->status : 0;
}

int hold(const staging_server& server, const std::string& dependency, const char* action) {
  return order(server, "/api/circuit-breakers/" + dependency + "/" + action, by_hand);
}

int simulate(const staging_server& server, const std::string& dependency, const nlohmann::json& how) {
  return order(server, "/api/simulate/" + dependency, how);
}

/// One request; its answer, or that there is none, says nothing.
void ask(const staging_server& server, const std::string& path, const httplib::Headers& headers) {
  httplib::Client client{"127.0.0.1", server.port()};
  client.set_read_timeout(10);
  static_cast<void>(client.Get(path, headers));
}

bool has_fired(const monitoring& watch, const expected_alert& wanted) {
  return std::ranges::any_of(watch.notifications(),
                             [&](const auto& one) { return is_about(one, wanted) && one.has_fired; });
}

/// Ends and starts a server again and again, each time long enough for Prometheus to see it.
void crash(std::unique_ptr<staging_server>& server, const monitoring& watch, const variables& at_last) {
  const auto port = std::to_string(server->port());
  const auto started = [&] {
    const auto seen = watch.query("process_start_time_seconds{instance=\"crashing\"}");
    return seen.empty() ? std::string{} : seen[0]["value"][1].get<std::string>();
  };
  REQUIRE(eventually(30s, [&] { return has_fired(watch, {"DependencySimulated", "crashing", "redis"}); }));
  for (int times = 0; times < 3; ++times) {
    const auto before = started();
    server->child().signal(SIGKILL);
    REQUIRE(server->child().wait(5s));
    if (times == 0) REQUIRE(eventually(30s, [&] { return has_fired(watch, {"ServerDown", "crashing"}); }));
    auto environment = times == 2 ? at_last : impatient();
    environment["API_PORT"] = port;
    server = std::make_unique<staging_server>(environment);
    REQUIRE(eventually(10s, [&] { return !started().empty() && started() != before; }));
  }
}

}  // namespace

TEST_CASE("each alert has a failure in the test below, and its place in the runbook", "[alerts]") {
  const auto rules = monitoring_file("alerts.yml");
  std::ifstream file{BROWNOUT_RUNBOOK};
  std::ostringstream runbook;
  runbook << file.rdbuf();
  std::set<std::string> named;
  const std::regex alert{"- alert: (\\w+)"};
  for (std::sregex_iterator one{rules.begin(), rules.end(), alert}, end; one != end; ++one) {
    const auto name = (*one)[1].str();
    CAPTURE(name);
    named.insert(name);
    auto anchor = name;
    std::ranges::transform(anchor, anchor.begin(), [](unsigned char c) { return std::tolower(c); });
    CHECK(runbook.str().find("\n### " + name + "\n") != std::string::npos);
    CHECK(rules.find("runbook: docs/runbook.md#" + anchor + "\n") != std::string::npos);
  }
  std::set<std::string> failed;
  for (const auto& one : expected) failed.insert(one.alert);
  CHECK(named == failed);
}

TEST_CASE("each alert fires for a real failure, is sent where it belongs, and resolves", "[alerts]") {
  const temporary_directory directory;
  real_server postgres{"postgres", directory.path()};
  real_server redis{"redis", directory.path()};
  auto real = impatient(postgres.environment());
  real.insert(redis.environment().begin(), redis.environment().end());
  auto silent = std::make_unique<silent_listener>();
  const full_pipe unread_log;

  const staging_server calm{impatient()};
  auto crashing = std::make_unique<staging_server>(impatient({{"API_PORT", std::to_string(free_port())}}));
  const staging_server dark{impatient()};
  const staging_server outage{real};
  const staging_server flapping{impatient({{"HEALTH_CHECK_INTERVAL", "0.05"},
                                           {"REDIS_CB_FAILURE_THRESHOLD", "1"},
                                           {"REDIS_CB_RECOVERY_TIMEOUT", "0.05"}})};
  const staging_server blind{
      impatient({{"OPENAI_API_KEY", "key-of-the-tests"},
                 {"OPENAI_BASE_URL", "http://127.0.0.1:" + std::to_string(silent->port())},
                 {"OPENAI_TIMEOUT", "300"}})};
  const staging_server slow{
      impatient({{"HEALTH_CHECK_INTERVAL", "1"}, {"OPENAI_CB_FAILURE_THRESHOLD", "100"}})};
  auto few_connections = impatient();
  few_connections["API_CONNECTIONS"] = "100";
  const staging_server loaded{few_connections};
  staging_server cramped{impatient()};
  const staging_server unread{impatient(), unread_log.writer()};
  const monitoring watch{{{"calm", calm.port()},
                          {"crashing", crashing->port()},
                          {"dark", dark.port()},
                          {"outage", outage.port()},
                          {"flapping", flapping.port()},
                          {"blind", blind.port()},
                          {"slow", slow.port()},
                          {"loaded", loaded.port()},
                          {"cramped", cramped.port()},
                          {"unread", unread.port()}}};
  REQUIRE(eventually(20s, [&] { return outage.shows(100, "OPTIMAL"); }));
  const auto key = staging_server::with_key();

  rlim_t descriptors = 0;
  {
    std::vector<std::jthread> failing;
    for (const auto* name : {"openai", "database"}) CHECK(hold(dark, name, "open") == 200);
    failing.push_back(repeat(50ms, [&] { ask(dark, "/api/status", {}); }));  // without a key

    postgres.kill();
    redis.kill();
    failing.push_back(repeat(100ms, [&] { ask(outage, "/api/inventory/stats", key); }));

    bool down = false;
    failing.push_back(repeat(400ms, [&] {
      down = !down;
      static_cast<void>(simulate(flapping, "redis", {{"mode", down ? "down" : "up"}}));
    }));
    CHECK(simulate(flapping, "openai", {{"mode", "slow"}, {"latency_ms", 600}}) == 200);
    for (int i = 0; i < 3; ++i) {
      failing.push_back(repeat(1ms, [&] { ask(flapping, "/api/recommendations", key); }));
    }

    auto pinned = by_hand;
    pinned["level"] = "OPTIMAL";
    pinned["expiry"] = 600;
    CHECK(order(slow, "/api/degradation/override", pinned) == 200);
    CHECK(simulate(slow, "openai", {{"mode", "slow"}, {"latency_ms", 1500}}) == 200);
    for (int i = 0; i < 6; ++i)
      failing.push_back(repeat(1ms, [&] { ask(slow, "/api/recommendations", key); }));
    // Calls under way come back when their circuit has been opened and closed.
    failing.push_back(repeat(2s, [&] {
      for (const auto* action : {"open", "close"}) static_cast<void>(hold(slow, "openai", action));
    }));

    failing.push_back(repeat(1s, [&] { overrun(loaded.port()); }));
    descriptors = limit_descriptors(cramped.child(), open_descriptors(cramped.child()) + 2);

    for (int i = 0; i < 3; ++i) failing.push_back(repeat(0ms, [&] { ask(unread, "/livez", {}); }));

    crash(crashing, watch, real);
    std::string missing;
    static_cast<void>(eventually(60s, [&] {
      missing = not_fired(watch.notifications());
      return missing.empty();
    }));
    CHECK(missing == "");
  }

  for (const auto* name : {"openai", "database"}) CHECK(hold(dark, name, "close") == 200);
  postgres.restart();
  redis.restart();
  for (const auto* name : {"redis", "openai"}) CHECK(simulate(flapping, name, {{"mode", "up"}}) == 200);
  silent.reset();
  CHECK(simulate(slow, "openai", {{"mode", "up"}}) == 200);
  httplib::Client client{"127.0.0.1", slow.port()};
  const nlohmann::json done{{"reason", "the test is over"}, {"actor", "the tests"}};
  CHECK(client.Delete("/api/degradation/override", key, done.dump(), "application/json")->status == 200);
  static_cast<void>(limit_descriptors(cramped.child(), descriptors));
  const auto reading = repeat(1ms, [&] { unread_log.drain(); });
  std::string left;
  CHECK(eventually(90s, [&] {
    left = still_firing(watch.notifications());
    return left.empty();
  }));
  CHECK(left == "");

  for (const auto& one : watch.notifications()) {
    CAPTURE(one.labels.dump());
    CHECK(one.receiver == one.labels["severity"]);
    for (const auto* part : {"summary", "meaning", "action", "runbook"})
      CHECK(one.annotations.contains(part));
    if (one.labels["instance"] == "calm") CHECK(one.labels["alertname"] == "DependencySimulated");
    if (one.labels["alertname"] == "Emergency") {
      CHECK(one.annotations["summary"] ==
            "dark has been at EMERGENCY for a minute. Not closed: database (forced_open), openai "
            "(forced_open).");
    }
  }
}
