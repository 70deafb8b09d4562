// SPDX-License-Identifier: BSL-1.0

// What docs/guide.md shows and no example has, word for word.

#include "brownout/brownout.hpp"
#include "catch2.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

TEST_CASE("guide: a fallback by a function", "[guide]") {
  brownout::circuit_breaker database{brownout::consecutive_failures{1}, {.name = "database"}};
  const brownout::pipeline guarded{brownout::fallback{[](const brownout::failure& why) -> std::string {
                                     return why.rejection() ? "come back later" : "no answer";
                                   }},
                                   database};

  const auto query = []() -> std::string { throw std::runtime_error{"connection refused"}; };
  CHECK(guarded.call(query) == "no answer");
  CHECK(guarded.call(query) == "come back later");
}

namespace {

struct http_client {
  brownout::time_point asked_until{};

  brownout::probe_result ping(brownout::time_point deadline) {
    asked_until = deadline;
    return {brownout::outcome::success, {}};
  }
};

enum class upstream { search };
enum class feature { find };
enum class level { normal, degraded };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "degraded";
}
constexpr auto features = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::find, .last = level::normal, .needs = brownout::needs(upstream::search)}});
const brownout::supervisor_options<level> two_levels{
    .levels = {.ladder = {{level::normal, 70}, {level::degraded, 0}}}};

}  // namespace

TEST_CASE("guide: a probe that shares its client", "[guide]") {
  const auto client = std::make_shared<http_client>();
  brownout::dependency search{
      {.name = "search", .probe = {client, [](http_client& asked, const brownout::probe_context& now) {
                                     return asked.ping(now.deadline);
                                   }}}};

  const brownout::supervisor_for<features> watched{features, two_levels, {{upstream::search, search}}};
  const auto& probe = watched.probe_of(0);
  const auto until = brownout::time_point{} + 3s;
  CHECK(probe.is_self_contained());
  CHECK(probe({until, {}}).result == brownout::outcome::success);
  CHECK(client->asked_until == until);
}

namespace {

std::vector<std::string> log_lines;
void write_log(std::string line) {
  log_lines.push_back(std::move(line));
}

}  // namespace

TEST_CASE("guide: a log of the circuits of a registry", "[guide]") {
  brownout::registry<> hosts{
      {.capacity = 1000}, {.added = [](const auto& host) {
        host.attach([name = std::string{host.name()}](const brownout::transition_event& event) {
          write_log(name + ": " + explain(event));
        });
      }}};

  log_lines.clear();
  hosts.at("db-1").force_open();
  REQUIRE(log_lines.size() == 1);
  CHECK(log_lines.front().starts_with("db-1: "));
}

namespace {

class shop {
 public:
  void start() {
    threads_.emplace(health_, [this](const auto& plan) { log(plan); });
  }

  [[nodiscard]] bool has_logged() {
    std::unique_lock lock{mutex_};
    return logged_.wait_for(lock, 10s, [&] { return plans_ > 0; });
  }

 private:
  void log(const auto& /*plan*/) {
    const std::lock_guard lock{mutex_};
    ++plans_;
    logged_.notify_all();
  }

  std::mutex mutex_{};
  std::condition_variable logged_{};
  int plans_ = 0;
  brownout::dependency<> search_{{.name = "search"}};
  brownout::supervisor_for<features> health_{features, two_levels, {{upstream::search, search_}}};
  std::optional<brownout::supervision<decltype(health_)>> threads_;  // the last member
};

}  // namespace

TEST_CASE("guide: threads that main starts", "[guide]") {
  shop service;
  service.start();
  CHECK(service.has_logged());
}

TEST_CASE("guide: a dependency that counts the calls its bulkhead refuses", "[guide]") {
  const auto ping = [] { return true; };
  brownout::bulkhead<> connections{{.name = "connections", .limit = 20}};
  brownout::dependency<> database{{.name = "database", .probe = ping, .limited_by = connections}};
  CHECK(database.described().limited_by);
}
