// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/full_pipe.hpp"
#include "staging/support/staging_server.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

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
  const auto metrics = server.get("/metrics").body;
  const std::string sample = "\ndashboard_log_lines_dropped_total ";
  REQUIRE(metrics.find(sample) != std::string::npos);
  CHECK(std::stoi(metrics.substr(metrics.find(sample) + sample.size())) > 0);

  server.child().signal(SIGTERM);
  CHECK(server.child().wait(2s) == 0);
}

TEST_CASE("every time is UTC and says so, but for the one that the original system shows", "[process]") {
  const staging_server server{{{"HEALTH_CHECK_INTERVAL", "0.05"}}};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  server.post("/api/circuit-breakers/redis/open");
  REQUIRE(eventually(5s, [&] { return server.shows(85, "DEGRADED"); }));

  std::vector<std::string> times;
  const auto collect = [&](const nlohmann::json& in, auto& self) -> void {
    for (const auto& [name, value] : in.items()) {
      if (value.is_string() && (name == "time" || name == "at" || name == "since" || name == "last_at"))
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
