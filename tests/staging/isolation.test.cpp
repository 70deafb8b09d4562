// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/real_system.hpp"
#include "staging/support/staging_server.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

/// PostgreSQL hangs while this lives.
class frozen_database {
 public:
  frozen_database() { real_system::instance().server("database").freeze(); }
  ~frozen_database() { real_system::instance().server("database").thaw(); }
  frozen_database(const frozen_database&) = delete;
  frozen_database& operator=(const frozen_database&) = delete;
};

/// Probes of the database take so long that the whole test runs while one hangs.
variables patient_environment() {
  auto environment = real_system::instance().environment();
  environment["DB_TIMEOUT"] = "30";
  return environment;
}

std::string last_probe_of(const staging_server& server, const std::string& name) {
  const auto list = server.get("/api/circuit-breakers").json().at("circuit_breakers");
  for (const auto& one : list) {
    if (one.at("name") == name) return one.at("probe").at("last_at").dump();
  }
  return "";
}

}  // namespace

TEST_CASE("a hung PostgreSQL delays neither /health nor /livez nor the other probes", "[isolation]") {
  const staging_server server{patient_environment()};
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));
  const frozen_database hung;

  const auto before = last_probe_of(server, "redis");
  double slowest = 0;
  for (int i = 0; i < 100; ++i) {
    const auto health = server.get("/health");
    const auto live = server.get("/livez", {});
    CHECK(health.status == 200);
    CHECK(live.status == 200);
    slowest = std::max({slowest, health.took.count(), live.took.count()});
    std::this_thread::sleep_for(10ms);
  }
  CAPTURE(slowest);
  CHECK(slowest < 100);
  CHECK(last_probe_of(server, "redis") != before);
}

TEST_CASE("requests that hang on PostgreSQL leave threads for /health", "[isolation]") {
  auto environment = patient_environment();
  environment["REDIS_HOST"] = "";  // no cache in front of the database, but a simulated one that is empty
  environment["REDIS_PORT"] = "";
  environment["REDIS_PASSWORD"] = "";
  environment["HEALTH_CHECK_INTERVAL"] = "3600";  // one probe of each at the start: only the requests hang
  const staging_server server{environment};
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));
  const frozen_database hung;

  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back([&] {
      httplib::Client client{"127.0.0.1", server.port()};
      client.set_read_timeout(2);
      if (client.Get("/api/inventory/stats", staging_server::with_key())) ++answered;
    });
  }
  // Those that found no free connection are answered at once, without the database.
  CHECK(eventually(2s, [&] { return answered >= 32; }));
  double slowest = 0;
  for (int i = 0; i < 20; ++i) slowest = std::max(slowest, server.get("/health").took.count());
  CAPTURE(slowest);
  CHECK(slowest < 100);
  for (auto& client : clients) client.join();
}

TEST_CASE("a Redis that hangs costs a request one time-out", "[isolation]") {
  auto environment = real_system::instance().environment();
  environment["HEALTH_CHECK_INTERVAL"] = "3600";  // one probe of each at the start: only the request hangs
  environment["REDIS_DB"] = "7";                  // nothing is cached there
  const staging_server server{environment};
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));
  auto& redis = real_system::instance().server("redis");
  redis.freeze();
  const auto stats = server.get("/api/inventory/stats");
  redis.thaw();
  CHECK(stats.json()["source"] == "database");
  CHECK(stats.took.count() >= 1'000);
  CHECK(stats.took.count() < 1'700);
}

TEST_CASE("SIGTERM ends the server with status 0 within 2 s", "[isolation]") {
  staging_server server{patient_environment()};
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));

  SECTION("when nothing hangs") {
    server.child().signal(SIGTERM);
    CHECK(server.child().wait(2s) == 0);
  }
  SECTION("while a probe hangs") {
    const frozen_database hung;
    std::this_thread::sleep_for(500ms);  // more than one probe interval: one is under way
    server.child().signal(SIGTERM);
    CHECK(server.child().wait(2s) == 0);
  }
  SECTION("while a request hangs") {
    const frozen_database hung;
    std::thread client{[&] {
      httplib::Client hanging{"127.0.0.1", server.port()};
      hanging.set_read_timeout(5);
      static_cast<void>(hanging.Get("/api/inventory/stats", staging_server::with_key()));
    }};
    std::this_thread::sleep_for(300ms);
    server.child().signal(SIGTERM);
    CHECK(server.child().wait(2s) == 0);
    client.join();
  }
  CHECK(server.log().back()["message"] == "stopped");
}
