// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/real_system.hpp"
#include "staging/support/staging_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

struct row {
  std::vector<std::string> down;
  double score;
  const char* level;
};

// What the retail system's staging showed for every set of dependencies that are down.
const std::vector<row> golden_table{
    {{}, 100, "OPTIMAL"},
    {{"openai"}, 50, "MINIMAL"},
    {{"database"}, 70, "DEGRADED"},
    {{"redis"}, 85, "DEGRADED"},
    {{"s3"}, 95, "OPTIMAL"},
    {{"openai", "database"}, 20, "EMERGENCY"},
    {{"openai", "redis"}, 35, "EMERGENCY"},
    {{"openai", "s3"}, 45, "MINIMAL"},
    {{"database", "redis"}, 55, "MINIMAL"},
    {{"database", "s3"}, 65, "LIMITED"},
    {{"redis", "s3"}, 80, "DEGRADED"},
    {{"openai", "database", "redis"}, 5, "EMERGENCY"},
    {{"openai", "database", "s3"}, 15, "EMERGENCY"},
    {{"openai", "redis", "s3"}, 30, "EMERGENCY"},
    {{"database", "redis", "s3"}, 50, "MINIMAL"},
    {{"openai", "database", "redis", "s3"}, 0, "EMERGENCY"},
};

/// Takes a dependency away and gives it back: frozen or killed. The OpenAI stand-in, where it can't run, is
/// simulated.
class outage {
 public:
  outage(const staging_server& server, std::string name, bool frozen)
      : server_{server}, name_{std::move(name)}, frozen_{frozen} {
    if (is_simulated()) {
      server_.post("/api/simulate/openai", {{"mode", "down"}});
    } else if (frozen_) {
      real().freeze();
    } else {
      real().kill();
    }
  }
  outage(const outage&) = delete;
  outage& operator=(const outage&) = delete;
  ~outage() {
    if (is_simulated()) {
      server_.post("/api/simulate/openai", {{"mode", "up"}});
    } else if (frozen_) {
      real().thaw();
    } else {
      real().restart();
    }
  }

 private:
  [[nodiscard]] bool is_simulated() const {
    return name_ == "openai" && !real_system::instance().has_openai();
  }
  [[nodiscard]] real_server& real() const { return real_system::instance().server(name_); }

  const staging_server& server_;
  std::string name_;
  bool frozen_;
};

/// The state of each circuit of these dependencies is one that an outage leads to.
bool all_tripped(const staging_server& server, const std::vector<std::string>& names) {
  const auto components = server.health().at("components");
  for (const auto& name : names) {
    const auto state = components.at(name).at("state").get<std::string>();
    if (state != "open" && state != "half_open") return false;
  }
  return true;
}

/// The points that the servers lose which are not down.
double lost_by_others(const nlohmann::json& health, const std::vector<std::string>& down) {
  double lost = 0;
  for (const auto& [name, one] : health.at("components").items()) {
    if (std::find(down.begin(), down.end(), name) == down.end()) lost += one.at("lost_points").get<double>();
  }
  return lost;
}

}  // namespace

TEST_CASE(
    "every set of servers that are really down gives its exact score and level, and full recovery after",
    "[golden]") {
  const staging_server server{real_system::instance().environment()};
  REQUIRE(eventually(20s, [&] { return server.shows(100, "OPTIMAL"); }));

  for (std::size_t i = 0; i < golden_table.size(); ++i) {
    const auto& [down, score, level] = golden_table[i];
    std::string names;
    for (const auto& name : down) names += name + " ";
    const bool frozen = i % 2 == 1;  // in turn hung and gone
    INFO("down: " << names << (frozen ? "(SIGSTOP)" : "(SIGKILL)"));
    {
      std::vector<std::unique_ptr<outage>> outages;
      for (const auto& name : down) outages.push_back(std::make_unique<outage>(server, name, frozen));
      // Until every circuit has tripped; before that a score may pass through the same value.
      const bool reached =
          eventually(30s, [&] { return all_tripped(server, down) && server.shows(score, level); });
      CAPTURE(server.health().dump(2));
      REQUIRE(reached);
      // And it stays: a probe that is admitted and fails must not lift it.
      const auto until = std::chrono::steady_clock::now() + 1500ms;
      while (std::chrono::steady_clock::now() < until) {
        const auto health = server.health();
        CAPTURE(health.dump(2));
        // On a machine under load a server that is up may answer slowly, and loses points for that.
        const double slowness = lost_by_others(health, down);
        REQUIRE(health["health_score"].get<double>() + slowness == Approx(score).margin(0.01));
        if (slowness == 0) REQUIRE(health["degradation_level"] == level);
      }
    }
    const bool recovered = eventually(40s, [&] { return server.shows(100, "OPTIMAL"); });
    CAPTURE(server.health().dump(2));
    REQUIRE(recovered);
  }
}

TEST_CASE("a wrong S3 secret from the start counts as down", "[golden]") {
  auto environment = real_system::instance().environment();
  environment["AWS_SECRET_ACCESS_KEY"] = "not-the-secret";
  const staging_server server{environment};
  CHECK(eventually(20s, [&] { return all_tripped(server, {"s3"}) && server.shows(95, "OPTIMAL"); }));
  CHECK(server.health()["components"]["s3"]["last_error"] != "");
}

TEST_CASE("a wrong OpenAI key from the start counts as down", "[golden]") {
  if (!real_system::instance().has_openai()) {
    WARN("SKIPPED: the OpenAI stand-in can't run here, so no key is checked");
    return;
  }
  auto environment = real_system::instance().environment();
  environment["OPENAI_API_KEY"] = "sk-not-the-key";
  const staging_server server{environment};
  CHECK(eventually(20s, [&] { return all_tripped(server, {"openai"}) && server.shows(50, "MINIMAL"); }));
  CHECK(server.health()["components"]["openai"]["last_error"] != "");
}
