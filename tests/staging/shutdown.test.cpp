// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/raw_socket.hpp"
#include "staging/support/staging_server.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

/// A simulated database that takes so long makes `/api/inventory/stats` a request that runs.
constexpr auto inventory =
    "GET /api/inventory/stats HTTP/1.1\r\nHost: a\r\nX-API-Key: key-of-the-staging-tests\r\n\r\n";

staging_server ready_server(variables environment) {
  environment["DB_TIMEOUT"] = "60";
  environment["HEALTH_CHECK_INTERVAL"] =
      "3600";  // one probe of each at the start: only the requests are slow
  return staging_server{std::move(environment)};
}

void slow_down(const staging_server& server, int milliseconds) {
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  const nlohmann::json behaviour{{"mode", "slow"}, {"latency_ms", milliseconds}};
  REQUIRE(server.post("/api/simulate/database", behaviour).status == 200);
}

bool accepts(const staging_server& server) {
  try {
    const raw_socket connected{server.port()};
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace

TEST_CASE("while it drains, /readyz says no and everything else is served; a second signal ends it at once",
          "[process]") {
  auto server = ready_server({{"SHUTDOWN_DRAIN", "60"}, {"SHUTDOWN_GRACE", "60"}});
  REQUIRE(eventually(5s, [&] { return server.get("/readyz", {}).status == 200; }));
  const auto [first, second, status] =
      GENERATE(table<int, int, int>({{SIGTERM, SIGTERM, 143}, {SIGINT, SIGINT, 130}}));
  server.child().signal(first);
  REQUIRE(eventually(5s, [&] { return server.get("/readyz", {}).status == 503; }));
  for (int i = 0; i < 3; ++i) {
    CHECK(server.get("/readyz", {}).status == 503);
    CHECK(server.get("/livez", {}).status == 200);
    CHECK(server.get("/health").status == 200);
    CHECK(server.get("/api/inventory/stats").status == 200);
    CHECK(server.act("redis", "reset").status == 200);
    CHECK(server.get("/livez", {}).header("Connection") == "close");
  }
  CHECK(server.log().back()["message"] != "stopped");
  server.child().signal(second);
  CHECK(server.child().wait(2s) == status);
}

TEST_CASE("after the drain the port is closed and running requests have the grace to end", "[process]") {
  auto server = ready_server({{"SHUTDOWN_DRAIN", "0.5"}, {"SHUTDOWN_GRACE", "60"}});
  slow_down(server, 2'500);
  raw_socket running{server.port()};
  const auto sent = std::chrono::steady_clock::now();
  running.send(inventory);
  server.child().signal(SIGTERM);
  REQUIRE(eventually(5s, [&] { return !accepts(server); }));
  const auto closed = std::chrono::steady_clock::now() - sent;
  CHECK(closed >= 500ms);
  CHECK(closed < 2'500ms);
  CHECK(running.receive_all(10s).starts_with("HTTP/1.1 200 "));
  CHECK(std::chrono::steady_clock::now() - sent >= 2'500ms);
  CHECK(server.child().wait(2s) == 0);
  CHECK(server.log().back()["clean"] == true);
}

TEST_CASE("a request that exceeds the grace is cancelled", "[process]") {
  auto server = ready_server({{"SHUTDOWN_DRAIN", "0.5"}, {"SHUTDOWN_GRACE", "0.5"}});
  slow_down(server, 50'000);
  raw_socket running{server.port()};
  const auto sent = std::chrono::steady_clock::now();
  running.send(inventory);
  server.child().signal(SIGTERM);
  CHECK(server.child().wait(4s) == 0);
  CHECK(std::chrono::steady_clock::now() - sent >= 1s);
  CHECK(server.log().back()["message"] == "stopped");
}

TEST_CASE("a second signal ends the grace at once", "[process]") {
  auto server = ready_server({{"SHUTDOWN_DRAIN", "0.5"}, {"SHUTDOWN_GRACE", "60"}});
  slow_down(server, 50'000);
  raw_socket running{server.port()};
  running.send(inventory);
  server.child().signal(SIGTERM);
  REQUIRE(eventually(5s, [&] { return !accepts(server); }));
  REQUIRE(server.child().running());
  server.child().signal(SIGINT);
  CHECK(server.child().wait(2s) == 130);
}
