// SPDX-License-Identifier: BSL-1.0

// Two servers behind HAProxy: traffic follows their levels.
#include "catch2.hpp"
#include "staging/support/crowd.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/free_port.hpp"
#include "staging/support/proxy.hpp"
#include "staging/support/staging_server.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

/// Two servers with agents, and HAProxy in front of them.
class pair_of_servers {
 public:
  pair_of_servers() {
    for (std::size_t i = 0; i < 2; ++i) {
      ports_[i] = free_port();
      agents_[i] = free_port();
      start(i);
    }
    front_.emplace(servers_[0]->port(), servers_[1]->port(),
                   variables{{"STAGING_A_AGENT_PORT", std::to_string(agents_[0])},
                             {"STAGING_B_AGENT_PORT", std::to_string(agents_[1])}});
  }

  /// Starts a server. On the port that it had if it is started again: so that is none of those which Linux
  /// gives to outgoing connections, since one of them could have it meanwhile.
  void start(std::size_t which) {
    servers_[which] =
        std::make_unique<staging_server>(variables{{"API_PORT", std::to_string(ports_[which])},
                                                   {"AGENT_PORT", std::to_string(agents_[which])},
                                                   {"HEALTH_CHECK_INTERVAL", "0.1"},
                                                   {"DEGRADATION_DWELL", "0.1"},
                                                   {"OPENAI_CB_RECOVERY_TIMEOUT", "0.5"},
                                                   {"DB_CB_RECOVERY_TIMEOUT", "0.5"}});
  }

  [[nodiscard]] staging_server& server(std::size_t which) { return *servers_[which]; }
  [[nodiscard]] proxy& front() { return *front_; }

  [[nodiscard]] bool weights_become(const std::string& a, const std::string& b) {
    return eventually(
        15s, [&] { return front_->figure("a", "weight") == a && front_->figure("b", "weight") == b; });
  }

  /// How many of 100 requests the first server gets; -1 when one of them was not answered with 200.
  [[nodiscard]] int share_of_a() {
    const int before = std::stoi(front_->figure("a", "stot"));
    for (int i = 0; i < 100; ++i) {
      const auto status = status_of(front_->port(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      if (status != 200) return -1;
    }
    return std::stoi(front_->figure("a", "stot")) - before;
  }

  /// How many of the requests that are made until `done` were not answered with 200.
  template <class Done>
  [[nodiscard]] int failures_until(Done done) {
    int failed = 0;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!done() && std::chrono::steady_clock::now() < deadline)
      failed += status_of(front_->port(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") == 200 ? 0 : 1;
    return failed;
  }

 private:
  std::array<int, 2> ports_{};
  std::array<int, 2> agents_{};
  std::array<std::unique_ptr<staging_server>, 2> servers_;
  std::optional<proxy> front_;
};

bool is_share(int found, int wanted) {
  return found >= wanted - 3 && found <= wanted + 3;
}

}  // namespace

TEST_CASE("traffic moves away from a server whose level falls, and comes back with it", "[proxy]") {
  pair_of_servers both;
  REQUIRE(both.weights_become("100", "100"));
  CHECK(is_share(both.share_of_a(), 50));

  both.server(0).post("/api/simulate/openai", {{"mode", "down"}});  // score 50: MINIMAL
  REQUIRE(both.weights_become("25", "100"));
  CHECK(is_share(both.share_of_a(), 20));

  both.server(0).post("/api/simulate/database", {{"mode", "down"}});  // score 20: EMERGENCY
  REQUIRE(both.weights_become("0", "100"));
  CHECK(both.share_of_a() == 0);

  both.server(0).post("/api/simulate/openai", {{"mode", "up"}});
  both.server(0).post("/api/simulate/database", {{"mode", "up"}});
  REQUIRE(both.weights_become("100", "100"));
  REQUIRE(eventually(15s, [&] { return both.front().figure("a", "status") == "UP"; }));
  CHECK(is_share(both.share_of_a(), 50));
}

TEST_CASE("each level has its weight", "[proxy]") {
  pair_of_servers both;
  const std::array<std::pair<const char*, const char*>, 5> expected{
      {{"DEGRADED", "75"}, {"LIMITED", "50"}, {"MINIMAL", "25"}, {"EMERGENCY", "0"}, {"OPTIMAL", "100"}}};
  for (const auto& [level, weight] : expected) {
    CAPTURE(level);
    both.server(1).post("/api/degradation/override",
                        {{"level", level}, {"reason", "drill"}, {"actor", "test"}, {"expiry", 60}});
    CHECK(both.weights_become("100", weight));
  }
}

TEST_CASE("the agent does not end a drain that an operator has begun", "[proxy]") {
  pair_of_servers both;
  REQUIRE(both.weights_become("100", "100"));
  both.front().command("set server api/a state drain");
  both.server(0).post("/api/degradation/override",
                      {{"level", "DEGRADED"}, {"reason", "drill"}, {"actor", "test"}, {"expiry", 60}});
  REQUIRE(both.weights_become("75", "100"));
  CHECK(both.share_of_a() == 0);
  both.front().command("set server api/a state ready");
  CHECK(is_share(both.share_of_a(), 43));
}

TEST_CASE("a server that is restarted costs no answer", "[proxy]") {
  pair_of_servers both;
  both.server(0).child().signal(SIGTERM);
  CHECK(both.failures_until([&] {
    return !both.server(0).child().running() && both.front().figure("a", "status").starts_with("DOWN");
  }) == 0);
  both.start(0);
  CHECK(both.failures_until([&] { return both.front().figure("a", "status") == "UP"; }) == 0);
  CHECK(is_share(both.share_of_a(), 50));
}
