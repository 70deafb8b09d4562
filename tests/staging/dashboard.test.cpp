// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/monitoring.hpp"
#include "staging/support/staging_server.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

struct panel_query {
  std::string panel;
  std::string expression;
};

std::string substituted(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// The queries as Grafana would ask them for all instances.
std::vector<panel_query> queries_of(const nlohmann::json& dashboard) {
  std::vector<panel_query> all;
  for (const auto& panel : dashboard.at("panels")) {
    for (const auto& target : panel.value("targets", nlohmann::json::array())) {
      const auto expression = substituted(target.at("expr"), "$instance", ".*");
      all.push_back({panel.at("title"), substituted(expression, "$__rate_interval", "10s")});
    }
  }
  return all;
}

}  // namespace

TEST_CASE("each query of the dashboard finds data about a server with an outage", "[dashboard]") {
  const staging_server server{{{"HEALTH_CHECK_INTERVAL", "0.1"}, {"DEGRADATION_HYSTERESIS", "0"}}};
  REQUIRE(eventually(10s, [&] { return server.shows(100, "OPTIMAL"); }));
  const monitoring watch{{{"shop", server.port()}}};
  CHECK(server.post("/api/simulate/redis", {{"mode", "down"}}).status == 200);
  REQUIRE(eventually(10s, [&] { return server.shows(85, "DEGRADED"); }));
  const nlohmann::json pinned{
      {"kind", "cap"}, {"level", "LIMITED"}, {"reason", "a test"}, {"actor", "the tests"}, {"expiry", 600}};
  CHECK(server.post("/api/degradation/override", pinned).status == 200);

  const auto dashboard = nlohmann::json::parse(monitoring_file("grafana/brownout.json"));
  const auto queries = queries_of(dashboard);
  CHECK(queries.size() >= 30);
  std::string empty;
  CHECK(eventually(40s, [&] {
    for (const auto* path : {"/api/recommendations", "/api/inventory/stats", "/no/such/path"}) {
      static_cast<void>(server.get(path));
    }
    empty.clear();
    for (const auto& one : queries) {
      const auto found = watch.query(one.expression);
      // What is predicted is NaN before enough outages were seen.
      const bool has_data = std::ranges::any_of(found, [&](const auto& sample) {
        return sample["value"][1] != "NaN" || one.expression.starts_with("brownout_predicted_recovery");
      });
      if (!has_data) empty += one.panel + ": " + one.expression + "\n";
    }
    return empty.empty();
  }));
  CHECK(empty == "");
}

TEST_CASE("the panels of the dashboard have different ids and do not overlap", "[dashboard]") {
  const auto dashboard = nlohmann::json::parse(monitoring_file("grafana/brownout.json"));
  const auto& panels = dashboard.at("panels");
  struct box {
    int id, x, y, right, bottom;
  };
  std::vector<box> seen;
  for (const auto& panel : panels) {
    const auto& at = panel.at("gridPos");
    const box here{panel.at("id"), at.at("x"), at.at("y"), at.at("x").get<int>() + at.at("w").get<int>(),
                   at.at("y").get<int>() + at.at("h").get<int>()};
    CAPTURE(panel.at("title").dump());
    CHECK(here.right <= 24);
    for (const auto& other : seen) {
      CHECK(other.id != here.id);
      CHECK((here.x >= other.right || other.x >= here.right || here.y >= other.bottom ||
             other.y >= here.bottom));
    }
    seen.push_back(here);
  }
}
