// SPDX-License-Identifier: BSL-1.0

// The shipped HAProxy configuration in front of the real server.
#include "staging/support/proxy.hpp"
#include "catch2.hpp"
#include "http/options.hpp"
#include "staging/support/crowd.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/staging_server.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <regex>
#include <string>
#include <thread>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

constexpr auto promptly = 250ms;

std::string request(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + staging_server::key + "\r\n\r\n";
}

/// The slowest of `/livez` and `/readyz` for `duration`, each on a new connection; a day when one was not
/// 200.
std::chrono::milliseconds slowest_probe(int port, std::chrono::milliseconds duration) {
  std::chrono::milliseconds slowest{0};
  const auto deadline = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < deadline) {
    for (const auto* path : {"/livez", "/readyz"}) {
      std::chrono::milliseconds took{};
      if (status_of(port, request(path), &took) != 200) return 24h;
      slowest = std::max(slowest, took);
    }
    std::this_thread::sleep_for(5ms);
  }
  return slowest;
}

}  // namespace

TEST_CASE("HAProxy is given fewer requests at once than the server has threads", "[proxy]") {
  std::ifstream file{BROWNOUT_HAPROXY_CONFIG};
  std::string text;
  std::getline(file, text, '\0');  // to the end
  std::size_t together = 0;
  const std::regex server{"\n    server a .* maxconn ([0-9]+) "};
  for (std::sregex_iterator one{text.begin(), text.end(), server}, end; one != end; ++one)
    together += std::stoul((*one)[1]);
  CHECK(together == 28);
  CHECK(together + 2 <= staging::http_options{}.threads);  // HAProxy's check and Prometheus
}

TEST_CASE("1000 keep-alive clients are all served through HAProxy", "[proxy]") {
  const staging_server server{{}};
  proxy front{server.port()};
  crowd clients{front.port()};
  clients.join(1000);
  std::size_t served = 0;
  for (int round = 0; round < 4; ++round) {
    for (std::size_t i = 0; i < clients.members().size(); ++i) clients.send(i, request("/health"));
    clients.receive(20s, [](const auto& one) { return one.answered(); });
    for (auto& each : clients.members()) {
      if (!each.closed && each.statuses() == std::vector{200}) ++served;
      each.received.clear();
    }
  }
  CHECK(served == 4000);
  CHECK(front.figure("a", "chkfail") == "0");
}

TEST_CASE("/livez and /readyz answer within 250 ms beside 1500 connections that drip headers", "[proxy]") {
  const staging_server server{{}};
  proxy front{server.port()};
  crowd slow{front.port()};
  slow.join(1500);
  for (std::size_t i = 0; i < 1500; ++i) slow.send(i, "GET / HTTP/1.1\r\nHost: a\r\nX: ");

  std::atomic<bool> over = false;
  std::size_t cut_off = 0;
  std::jthread dripping{[&] {
    while (!over) {
      for (std::size_t i = 0; i < 1500; ++i) slow.send(i, "x");
      slow.receive(250ms, [](const auto& each) { return each.closed; });
      cut_off += slow.reopen();
    }
  }};
  const auto slowest = slowest_probe(front.port(), 5s);
  over = true;
  dripping.join();
  CAPTURE(slowest.count());
  CHECK(slowest <= promptly);
  CHECK(cut_off >= 1500);  // each after 2 s: dripping does not extend the time
  CHECK(front.figure("a", "chkfail") == "0");
}

TEST_CASE("bodies that drip and answers that are not read take no thread of the server", "[proxy]") {
  const staging_server server{{}};
  proxy front{server.port()};
  crowd dripping{front.port()};
  dripping.join(60);
  const auto head = std::string{"POST /api/degradation/override HTTP/1.1\r\nHost: a\r\nX-API-Key: "} +
                    staging_server::key + "\r\nContent-Length: 100\r\n\r\n";
  for (std::size_t i = 0; i < 60; ++i) dripping.send(i, head + "{");
  crowd deaf{front.port(), 1024};
  deaf.join(60);
  for (std::size_t i = 0; i < 60; ++i) deaf.send(i, request("/page/style.css"));

  for (int i = 0; i < 20; ++i) {
    std::chrono::milliseconds took{};
    CHECK(status_of(front.port(), request("/page/style.css"), &took) == 200);
    CHECK(took <= promptly);
  }
  dripping.receive(5s, [](const auto& each) { return each.answered(); });
  CHECK(std::ranges::all_of(dripping.members(),
                            [](const auto& each) { return each.statuses() == std::vector{408}; }));
}

TEST_CASE("an overload does not take the server out", "[proxy]") {
  const staging_server server{{{"DB_TIMEOUT", "2"}, {"HEALTH_CHECK_INTERVAL", "0.2"}}};
  server.post("/api/simulate/redis", {{"mode", "down"}});
  REQUIRE(eventually(10s, [&] { return server.shows(85, "DEGRADED"); }));
  server.post("/api/simulate/database", {{"mode", "slow"}, {"latency_ms", 450}});
  proxy front{server.port()};
  crowd clients{front.port()};
  clients.join(500);

  // 8 connections to the database answer 18 requests a second: HAProxy's queue fills and times out.
  std::atomic<bool> over = false;
  std::ptrdiff_t overloaded = 0;
  std::vector<bool> asked(clients.members().size());
  std::jthread asking{[&] {
    while (!over) {
      for (std::size_t i = 0; i < clients.members().size(); ++i) {
        if (!asked[i]) clients.send(i, request("/api/inventory/stats"));
        asked[i] = true;
      }
      clients.receive(200ms, [](const auto&) { return false; });
      for (std::size_t i = 0; i < clients.members().size(); ++i) {
        auto& each = clients.members()[i];
        if (!each.closed && !each.answered()) continue;
        overloaded += std::ranges::count(each.statuses(), 503);
        each.received.clear();
        asked[i] = false;
      }
      clients.reopen();
    }
  }};
  const auto slowest = slowest_probe(front.port(), 8s);
  over = true;
  asking.join();
  CAPTURE(slowest.count());
  CHECK(overloaded > 0);
  CHECK(slowest <= promptly);
  CHECK(front.figure("a", "status") == "UP");
  CHECK(front.figure("a", "chkfail") == "0");
  CHECK(front.figure("a", "chkdown") == "0");
}

TEST_CASE("when no server is ready, the status page and the reason still come from a server", "[proxy]") {
  const staging_server server{{}};
  proxy front{server.port()};
  server.post("/api/degradation/override",
              {{"level", "EMERGENCY"}, {"reason", "drill"}, {"actor", "test"}, {"expiry", 60}});
  REQUIRE(eventually(10s, [&] { return front.figure("a", "status").starts_with("DOWN"); }));
  CHECK(status_of(front.port(), request("/livez")) == 200);
  CHECK(status_of(front.port(), request("/readyz")) == 503);
  CHECK(status_of(front.port(), request("/")) == 200);
  httplib::Client client{"127.0.0.1", front.port()};
  const auto health = client.Get("/health", staging_server::with_key());
  REQUIRE(health);
  CHECK(health->status == 503);
  CHECK(health->has_header("Retry-After"));
  CHECK(nlohmann::json::parse(health->body).at("degradation_level") == "EMERGENCY");
  // The body of a DELETE reaches the server.
  const nlohmann::json word{{"reason", "the drill is over"}, {"actor", "test"}};
  const auto released =
      client.Delete("/api/degradation/override", staging_server::with_key(), word.dump(), "application/json");
  REQUIRE(released);
  CHECK(released->status == 200);
}

TEST_CASE("a server that is gone is a 503 in JSON that says when to come back", "[proxy]") {
  auto server = std::make_unique<staging_server>(variables{});
  proxy front{server->port()};
  server.reset();
  httplib::Client client{"127.0.0.1", front.port()};
  const auto answer = client.Get("/health");
  REQUIRE(answer);
  CHECK(answer->status == 503);
  CHECK(answer->get_header_value("Retry-After") == "1");
  CHECK(nlohmann::json::parse(answer->body).at("error").at("code") == "overloaded");
}

TEST_CASE("behind HAProxy the rate limit counts each client, and believes no client's own header",
          "[proxy]") {
  const staging_server server{{{"DASHBOARD_RATELIMIT_ENABLED", "true"},
                               {"DASHBOARD_RATELIMIT_REQUESTS", "3"},
                               {"DASHBOARD_TRUSTED_PROXIES", "127.0.0.1"}}};
  proxy front{server.port()};
  const auto ask = [&](const char* from, const std::string& pretended) {
    auto text = request("/health");
    if (!pretended.empty()) text.insert(text.size() - 2, "X-Forwarded-For: " + pretended + "\r\n");
    return status_of(front.port(), text, nullptr, from);
  };
  for (int i = 0; i < 3; ++i) CHECK(ask("127.0.0.2", "") == 200);
  CHECK(ask("127.0.0.2", "") == 429);
  CHECK(ask("127.0.0.2", "192.0.2.1") == 429);
  CHECK(ask("127.0.0.3", "") == 200);
}

TEST_CASE("HAProxy's own metrics tell the level-dependent weight and the queue", "[proxy]") {
  const staging_server server{{}};
  const proxy front{server.port()};
  const auto page = front.metrics();
  CHECK(page.find("haproxy_server_weight{proxy=\"api\",server=\"a\"} 100\n") != std::string::npos);
  CHECK(page.find("haproxy_backend_current_queue{proxy=\"api\"} ") != std::string::npos);
}
