// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/free_port.hpp"
#include "staging/support/staging_server.hpp"

#include <chrono>
#include <fstream>
#include <optional>
#include <string>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

nlohmann::json ask(int port, const std::string& path) {
  httplib::Client client{"127.0.0.1", port};
  client.set_connection_timeout(2);
  const auto answer = client.Get(path);
  if (!answer || answer->status != 200) return {};
  return nlohmann::json::parse(answer->body);
}

}  // namespace

TEST_CASE("promtool finds nothing to complain about in /metrics", "[metrics]") {
  const staging_server server{{}};
  REQUIRE(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
  server.post("/api/circuit-breakers/redis/open");
  const temporary_directory directory;
  std::ofstream{directory.path() / "metrics.txt"} << server.get("/metrics").body;
  const auto checked =
      run({"sh", "-c", "promtool check metrics < " + (directory.path() / "metrics.txt").string()}, {}, 20s);
  CAPTURE(checked.out, checked.err);
  CHECK(checked.status == 0);
  CHECK(checked.out + checked.err == "");
}

TEST_CASE("a real Prometheus scrapes the server with the bearer key, and finds what /health says",
          "[metrics]") {
  const staging_server server{{}};
  REQUIRE(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
  server.post("/api/circuit-breakers/redis/open");
  REQUIRE(eventually(10s, [&] { return server.shows(85, "DEGRADED"); }));

  const temporary_directory directory;
  const auto config = directory.path() / "prometheus.yml";
  std::ofstream{config} << "global: {scrape_interval: 1s}\n"
                           "scrape_configs:\n"
                           "- job_name: brownout\n"
                           "  authorization: {type: Bearer, credentials: "
                        << staging_server::key
                        << "}\n  static_configs: [{targets: ['127.0.0.1:" << server.port() << "']}]\n";
  const int port = free_port();
  const auto at = "127.0.0.1:" + std::to_string(port);
  process prometheus{
      {"prometheus", "--config.file=" + config.string(),
       "--storage.tsdb.path=" + (directory.path() / "data").string(), "--web.listen-address=" + at},
      {}};
  const bool up = eventually(40s, [&] {
    if (!prometheus.running()) return false;
    const auto targets = ask(port, "/api/v1/targets");
    return targets.is_object() && !targets["data"]["activeTargets"].empty() &&
           targets["data"]["activeTargets"][0]["health"] == "up";
  });
  CAPTURE(prometheus.err());
  REQUIRE(up);
  std::optional<std::string> score;
  CHECK(eventually(20s, [&] {
    const auto found = ask(port, "/api/v1/query?query=brownout_health_score");
    if (!found.is_object() || found["data"]["result"].empty()) return false;
    score = found["data"]["result"][0]["value"][1];
    return true;
  }));
  CHECK(score == "85");
}
