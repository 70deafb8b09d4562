// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/free_port.hpp"
#include "staging/support/staging_server.hpp"

#include "brownout/observe/prometheus_text.hpp"

#include <chrono>
#include <fstream>
#include <optional>
#include <regex>
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

/// What `promtool check metrics` says of a page, or its exit status if it says nothing.
std::string promtool_says(const std::string& page) {
  const temporary_directory directory;
  const auto file = directory.path() / "metrics.txt";
  std::ofstream{file} << page;
  const auto checked = run({"sh", "-c", "promtool check metrics < " + file.string()}, {}, 20s);
  const auto said = checked.out + checked.err;
  return said.empty() ? std::to_string(checked.status) : said;
}

}  // namespace

TEST_CASE("promtool takes a page whose names are no text", "[metrics]") {
  brownout::prometheus_text page;
  page.family("calls_total", brownout::metric_type::counter, "Calls \xff.");
  page.sample({{"dependency", std::string{"a\xff\r\n\0\"\\b", 8}}}, 1);
  page.family("other", brownout::metric_type::gauge, "Another family.");
  page.sample({}, 1);
  page.family("calls_total", brownout::metric_type::counter, "Calls.");
  page.sample({{"dependency", "\xc3"}}, 1);
  CHECK(promtool_says(page.text()) == "0");
}

TEST_CASE("promtool finds nothing to complain about in /metrics", "[metrics]") {
  const staging_server server{{}};
  REQUIRE(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
  server.post("/api/circuit-breakers/redis/open");
  CHECK(promtool_says(server.get("/metrics").body) == "0");
}

TEST_CASE("each metric that an alert reads is on the page", "[metrics]") {
  const staging_server server{{}};
  REQUIRE(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
  const auto page = server.get("/metrics").body;
  std::ifstream file{BROWNOUT_ALERTS};
  std::string alerts;
  std::getline(file, alerts, '\0');  // to the end
  const std::regex metric{"(brownout|dashboard)_[a-z_]+"};
  int found = 0;
  for (std::sregex_iterator one{alerts.begin(), alerts.end(), metric}, end; one != end; ++one, ++found) {
    CAPTURE(one->str());
    CHECK(page.find("\n# TYPE " + one->str() + " ") != std::string::npos);
  }
  CHECK(found >= 10);
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
