// SPDX-License-Identifier: BSL-1.0
#include "config/variables.hpp"

#include "config/endpoint_kind.hpp"
#include "config/settings.hpp"
#include "config/value_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace staging {
namespace {

struct description {
  std::string_view name;
  std::string_view unit;
  std::string_view default_value;
  std::string_view meaning;
};

enum class visibility : bool { open, secret };

template <class T, class Store>
variable row(description said, value_kind<T> kind, Store store, visibility seen = visibility::open) {
  return {said.name,
          said.unit,
          said.default_value,
          said.meaning,
          std::move(kind.allowed),
          seen == visibility::secret,
          [parse = std::move(kind.parse), store](settings& into, std::string_view text) {
            auto value = parse(text);
            if (!value) return false;
            store(into, *std::move(value));
            return true;
          },
          std::move(kind.fault)};
}

variable failure_threshold(std::string_view name, std::string_view default_value, dependency which) {
  return row({name, "failures", default_value, "failures in a row that open the breaker"},
             kinds::whole_number<std::uint32_t>(1, 1'000'000),
             [which](settings& s, auto v) { s.dependencies.at(index(which)).failure_threshold = v; });
}

variable recovery_timeout(std::string_view name, std::string_view default_value, dependency which) {
  return row({name, "s", default_value, "how long an open breaker stays open"}, kinds::seconds(0.001, 3600),
             [which](settings& s, auto v) { s.dependencies.at(index(which)).recovery_timeout = v; });
}

variable half_open_requests(std::string_view name, std::string_view default_value, dependency which) {
  return row({name, "calls", default_value, "trial calls that must succeed before the breaker closes"},
             kinds::whole_number<std::uint32_t>(1, 255),
             [which](settings& s, auto v) { s.dependencies.at(index(which)).half_open_requests = v; });
}

variable call_timeout(std::string_view name, std::string_view default_value, dependency which) {
  return row({name, "s", default_value, "limit of one call or probe"}, kinds::seconds(0.001, 3600),
             [which](settings& s, auto v) { s.dependencies.at(index(which)).timeout = v; });
}

// Reading stores into the settings of every dependency; read_settings takes those out again that are not
// configured.
std::vector<variable> table() {
  using enum visibility;
  return {
      // The server itself.
      row({"API_HOST", "", "127.0.0.1", "address to listen on"}, kinds::listening_address(),
          [](settings& s, auto v) { s.host = std::move(v); }),
      row({"API_PORT", "", "9000", "port to listen on; 0 takes any free one"},
          kinds::whole_number<std::uint16_t>(0, 65535), [](settings& s, auto v) { s.port = v; }),
      row({"API_CONNECTIONS", "connections", "2048",
           "connections open at once; one more takes the place of an idle one, or gets 503"},
          kinds::whole_number<std::uint32_t>(1, 100'000), [](settings& s, auto v) { s.connections = v; }),
      row(
          {"DASHBOARD_API_KEY", "", "",
           "key that callers send; needed as soon as one dependency is configured, else a random one is "
           "made"},
          kinds::token(16, 256), [](settings& s, auto v) { s.api_key = std::move(v); }, secret),
      row({"DASHBOARD_RATELIMIT_ENABLED", "", "true", "limit the requests of each client"}, kinds::boolean(),
          [](settings& s, auto v) { s.rate_limit.enabled = v; }),
      row({"DASHBOARD_RATELIMIT_REQUESTS", "requests", "100",
           "requests of one client to one kind of route in one window"},
          kinds::whole_number<std::uint32_t>(1, 1'000'000),
          [](settings& s, auto v) { s.rate_limit.requests = v; }),
      row({"DASHBOARD_RATELIMIT_WINDOW", "s", "60", "length of the window"}, kinds::seconds(0.001, 86'400),
          [](settings& s, auto v) { s.rate_limit.window = v; }),
      row({"DASHBOARD_ENABLE_HSTS", "", "false", "send Strict-Transport-Security; for a server behind TLS"},
          kinds::boolean(), [](settings& s, auto v) { s.enable_hsts = v; }),
      row({"DASHBOARD_TRUSTED_PROXIES", "", "", "proxies whose forwarded header names the client"},
          kinds::network_list(), [](settings& s, auto v) { s.trusted_proxies = std::move(v); }),
      row({"DASHBOARD_LOG_LEVEL", "", "info", "least severe line to log"}, kinds::level_of_log(),
          [](settings& s, auto v) { s.log = v; }),
      row({"AGENT_PORT", "", "",
           "port that answers HAProxy's agent check with a weight; without it there is none"},
          kinds::whole_number<std::uint16_t>(0, 65535), [](settings& s, auto v) { s.agent_port = v; }),

      row({"REQUIRE_REAL", "", "false", "refuse to start while a dependency would be simulated"},
          kinds::boolean(), [](settings& s, auto v) { s.require_real = v; }),
      // A container runtime kills after 10 s: drain, grace and what follows them (1.2 s) are less.
      row({"SHUTDOWN_DRAIN", "s", "2", "after SIGTERM: how long to serve on while /readyz says 503"},
          kinds::seconds(0, 3600), [](settings& s, auto v) { s.shutdown_drain = v; }),
      row({"SHUTDOWN_GRACE", "s", "5", "after the drain: how long running requests may take to end"},
          kinds::seconds(0, 3600), [](settings& s, auto v) { s.shutdown_grace = v; }),

      // Health score and levels.
      row({"HEALTH_CHECK_INTERVAL", "s", "10", "time between two probes of a dependency"},
          kinds::seconds(0.001, 3600), [](settings& s, auto v) { s.health_check_interval = v; }),
      row({"HEALTH_LATENCY_BUDGET", "s", "0.5", "mean latency that costs no health points"},
          kinds::seconds(0, 3600), [](settings& s, auto v) { s.latency.budget = v; }),
      row({"HEALTH_LATENCY_MS_PER_POINT", "ms", "10", "latency above the budget that costs one health point"},
          kinds::milliseconds(0.001, 60'000), [](settings& s, auto v) { s.latency.per_point = v; }),
      row({"SERVICE_WEIGHTS", "", "openai:0.50,database:0.30,redis:0.15,s3:0.05",
           "shares in the health score"},
          kinds::weights(),
          [](settings& s, auto v) {
            for (const auto which : all_dependencies) {
              s.dependencies.at(index(which)).weight = v.at(index(which));
            }
          }),
      row({"OPTIMAL_THRESHOLD", "points", "90", "least score of the level OPTIMAL"}, kinds::decimal(0, 100),
          [](settings& s, auto v) { s.thresholds.optimal = v; }),
      row({"DEGRADED_THRESHOLD", "points", "70", "least score of the level DEGRADED"}, kinds::decimal(0, 100),
          [](settings& s, auto v) { s.thresholds.degraded = v; }),
      row({"LIMITED_THRESHOLD", "points", "60", "least score of the level LIMITED"}, kinds::decimal(0, 100),
          [](settings& s, auto v) { s.thresholds.limited = v; }),
      row({"MINIMAL_THRESHOLD", "points", "40", "least score of the level MINIMAL; below is EMERGENCY"},
          kinds::decimal_above(0, 100), [](settings& s, auto v) { s.thresholds.minimal = v; }),
      row({"DEGRADATION_HYSTERESIS", "points", "2", "points above a threshold that a better level needs"},
          kinds::decimal(0, 20), [](settings& s, auto v) { s.hysteresis = v; }),
      row({"DEGRADATION_DWELL", "s", "10", "how long a better level needs them"}, kinds::seconds(0, 86'400),
          [](settings& s, auto v) { s.dwell = v; }),
      row({"DEGRADATION_DWELL_LIMIT", "times", "8",
           "each relapse doubles DEGRADATION_DWELL, at most up to this multiple of it; 1: it never grows"},
          kinds::decimal(1, 1000), [](settings& s, auto v) { s.dwell_limit = v; }),
      row({"DEGRADATION_FEATURE_RETURN", "s", "0",
           "how long the features of a better level take to return, one after another; 0: at once"},
          kinds::seconds(0, 3600), [](settings& s, auto v) { s.feature_return = v; }),
      row({"DEGRADATION_DRY_RUN", "", "false", "decide and log levels, but go on offering everything"},
          kinds::boolean(), [](settings& s, auto v) { s.degradation_dry_run = v; }),

      row(
          {"OPENAI_API_KEY", "", "", "key of the OpenAI-compatible API; without it the API is simulated"},
          kinds::token(1, 1024), [](settings& s, auto v) { s.openai->api_key = std::move(v); }, secret),
      row(
          {"OPENAI_BASE_URL", "", "https://api.openai.com/v1", "where the OpenAI-compatible API is"},
          kinds::base_url(), [](settings& s, auto v) { s.openai->base_url = std::move(v); }, secret),
      row({"OPENAI_MODEL", "", "gpt-4o-mini", "model that recommendations are asked of"},
          kinds::token(1, 128), [](settings& s, auto v) { s.openai->model = std::move(v); }),
      call_timeout("OPENAI_TIMEOUT", "10", dependency::openai),
      failure_threshold("OPENAI_CB_FAILURE_THRESHOLD", "5", dependency::openai),
      recovery_timeout("OPENAI_CB_RECOVERY_TIMEOUT", "30", dependency::openai),
      half_open_requests("OPENAI_CB_HALF_OPEN_REQUESTS", "2", dependency::openai),

      row(
          {"DATABASE_URL", "", "",
           "how to connect to PostgreSQL; libpq takes what it leaves open from its PG... variables, which "
           "are "
           "checked too; without it the database is simulated"},
          kinds::connection_string(), [](settings& s, auto v) { s.database->url = std::move(v); }, secret),
      call_timeout("DB_TIMEOUT", "5", dependency::database),
      failure_threshold("DB_CB_FAILURE_THRESHOLD", "3", dependency::database),
      recovery_timeout("DB_CB_RECOVERY_TIMEOUT", "20", dependency::database),
      half_open_requests("DB_CB_HALF_OPEN_REQUESTS", "1", dependency::database),

      row({"REDIS_HOST", "", "", "where Redis is; without it Redis is simulated"}, kinds::host_name(),
          [](settings& s, auto v) { s.redis->host = std::move(v); }),
      row({"REDIS_PORT", "", "6379", "port of Redis"}, kinds::whole_number<std::uint16_t>(1, 65535),
          [](settings& s, auto v) { s.redis->port = v; }),
      row(
          {"REDIS_PASSWORD", "", "", "password of Redis, if it asks for one"}, kinds::password(),
          [](settings& s, auto v) { s.redis->password = std::move(v); }, secret),
      // Redis counts its databases in an int.
      row({"REDIS_DB", "", "0", "number of the Redis database"},
          kinds::whole_number<std::uint32_t>(0, 2'147'483'647), [](settings& s, auto v) { s.redis->db = v; }),
      call_timeout("REDIS_TIMEOUT", "2", dependency::redis),
      failure_threshold("REDIS_CB_FAILURE_THRESHOLD", "5", dependency::redis),
      recovery_timeout("REDIS_CB_RECOVERY_TIMEOUT", "15", dependency::redis),
      half_open_requests("REDIS_CB_HALF_OPEN_REQUESTS", "2", dependency::redis),

      row(
          {"S3_ENDPOINT_URL", "", "", "where S3 is; without it and a bucket S3 is simulated"},
          kinds::base_url(), [](settings& s, auto v) { s.s3->endpoint_url = std::move(v); }, secret),
      row({"S3_BUCKET_NAME", "", "", "bucket for files; needs S3_ENDPOINT_URL and the AWS keys"},
          kinds::bucket_name(), [](settings& s, auto v) { s.s3->bucket = std::move(v); }),
      row({"AWS_REGION", "", "us-east-1", "region of the bucket"}, kinds::region(),
          [](settings& s, auto v) { s.s3->region = std::move(v); }),
      row(
          {"AWS_ACCESS_KEY_ID", "", "", "access key for the bucket; alone it does not ask for S3"},
          kinds::token(1, 256), [](settings& s, auto v) { s.s3->access_key_id = std::move(v); }, secret),
      row(
          {"AWS_SECRET_ACCESS_KEY", "", "", "secret that belongs to the access key"}, kinds::token(1, 256),
          [](settings& s, auto v) { s.s3->secret_access_key = std::move(v); }, secret),
      call_timeout("S3_TIMEOUT", "5", dependency::s3),
      failure_threshold("S3_CB_FAILURE_THRESHOLD", "4", dependency::s3),
      recovery_timeout("S3_CB_RECOVERY_TIMEOUT", "25", dependency::s3),
      half_open_requests("S3_CB_HALF_OPEN_REQUESTS", "2", dependency::s3),
  };
}

}  // namespace

std::span<const variable> variables() {
  static const std::vector<variable> all = table();
  return all;
}

std::string help_text() {
  const auto all = variables();
  const auto width_of = [&](std::string_view variable::*column) {
    std::size_t widest = 0;
    for (const auto& each : all) widest = std::max(widest, (each.*column).size());
    return widest;
  };
  const auto names = width_of(&variable::name);
  const auto units = width_of(&variable::unit);

  std::string text = "Environment (an empty variable counts as not set):\n";
  const auto out = std::back_inserter(text);
  for (const auto& each : all) {
    const std::string assumed =
        each.default_value.empty() ? "no default" : fmt::format("default {}", each.default_value);
    fmt::format_to(out, "  {:<{}}  {:<{}}  {}\n", each.name, names, each.unit, units, each.meaning);
    fmt::format_to(out, "  {:<{}}  {:<{}}  {}; {}{}\n", "", names, "", units, assumed, each.allowed,
                   each.secret ? fmt::format("; or in the file that {} names", each.name_of_file()) : "");
  }
  return text;
}

}  // namespace staging
