// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/monitoring.hpp"
#include "staging/support/staging_server.hpp"

#include "brownout/observe/prometheus_text.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

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
  const staging_server server{{{"HEALTH_CHECK_INTERVAL", "0.1"}}};
  REQUIRE(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
  server.post("/api/simulate/redis", {{"mode", "down"}});
  server.post("/api/degradation/override",
              {{"level", "LIMITED"}, {"reason", "a test"}, {"actor", "ann"}, {"expiry", 60}});
  REQUIRE(eventually(10s, [&] {
    return server.get("/metrics").body.find("\nbrownout_outage_start_timestamp_seconds{") !=
           std::string::npos;
  }));
  CHECK(promtool_says(server.get("/metrics").body) == "0");
}

TEST_CASE("each metric that an alert reads is on the page", "[metrics]") {
  const staging_server server{{}};
  REQUIRE(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
  const nlohmann::json pinned{{"level", "DEGRADED"}, {"reason", "a test"}, {"actor", "ann"}, {"expiry", 60}};
  REQUIRE(server.post("/api/degradation/override", pinned).status == 200);
  const auto page = server.get("/metrics").body;
  const auto rules = monitoring_file("recording.yml") + monitoring_file("alerts.yml");
  const std::regex metric{"[^:a-z_](brownout|dashboard|process)_[a-z_]+"};
  int found = 0;
  for (std::sregex_iterator one{rules.begin(), rules.end(), metric}, end; one != end; ++one, ++found) {
    const auto name = std::regex_replace(one->str().substr(1), std::regex{"_bucket$"}, "");
    CAPTURE(name);
    CHECK(page.find("\n# TYPE " + name + " ") != std::string::npos);
  }
  CHECK(found >= 20);
}

TEST_CASE("a real Prometheus scrapes the server with the bearer key, and finds what /health says",
          "[metrics]") {
  const staging_server server{{}};
  REQUIRE(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
  const nlohmann::json by_hand{{"reason", "a test"}, {"actor", "the tests"}};
  server.post("/api/circuit-breakers/redis/open", by_hand);
  REQUIRE(eventually(10s, [&] { return server.shows(85, "DEGRADED"); }));

  const monitoring watch{{{"shop", server.port()}}};
  CHECK(eventually(20s, [&] {
    const auto found = watch.query("brownout_health_score");
    return !found.empty() && found[0]["value"][1] == "85";
  }));
}

TEST_CASE("the process metrics are those of the server", "[metrics]") {
  staging_server server{{}};
  REQUIRE(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
  const auto values = [&] {
    std::map<std::string, double> all;
    std::istringstream lines{server.get("/metrics").body};
    for (std::string line; std::getline(lines, line);) {
      const auto end = line.find(' ');
      if (!line.starts_with('#')) all[line.substr(0, end)] = std::strtod(line.c_str() + end, nullptr);
    }
    return all;
  };
  auto seen = values();
  const auto since_start =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count() -
      seen["process_start_time_seconds"];
  CHECK(since_start > -2);
  CHECK(since_start < 30);
  CHECK(seen["process_resident_memory_bytes"] > 1e6);
  CHECK(seen["process_virtual_memory_bytes"] > seen["process_resident_memory_bytes"]);
  CHECK(seen["process_threads"] > seen["dashboard_threads"]);
  CHECK(seen["process_open_fds"] > 5);
  CHECK(seen["process_open_fds"] < seen["process_max_fds"]);
  CHECK(eventually(10s, [&] { return values()["process_cpu_seconds_total"] > 0; }));  // whole hundredths
  CHECK(seen["dashboard_threads_busy"] >= 1);
  CHECK(seen["dashboard_connections{state=\"serving\"}"] >= 1);
  CHECK(seen.count("dashboard_pool_capacity{pool=\"database\"}") == 1);
  CHECK(seen["dashboard_dependency_info{dependency=\"s3\",kind=\"simulated\"}"] == 1);

  // A connection that sends nothing keeps a thread.
  httplib::Client idle{"127.0.0.1", server.port()};
  idle.set_keep_alive(true);
  REQUIRE(idle.Get("/livez"));
  CHECK(eventually(2s, [&] { return values()["dashboard_connections{state=\"idle\"}"] >= 1; }));
  CHECK(values()["process_start_time_seconds"] == seen["process_start_time_seconds"]);
}
