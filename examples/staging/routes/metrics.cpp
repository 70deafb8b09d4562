// SPDX-License-Identifier: BSL-1.0
#include "brownout/observe/prometheus_text.hpp"
#include "brownout/observe/system_metrics.hpp"
#include "brownout/version.hpp"
#include "routes/routes.hpp"
#include "service/process_metrics.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

namespace staging {

namespace {

using brownout::metric_type;
using brownout::prometheus_text;

void write_server(prometheus_text& out, const application& app, const connection_usage& seen) {
  out.family("dashboard_build_info", metric_type::gauge, "1, with what the server was built from as labels.");
  const auto version =
      fmt::format("{}.{}.{}", BROWNOUT_VERSION_MAJOR, BROWNOUT_VERSION_MINOR, BROWNOUT_VERSION_PATCH);
  out.sample({{"version", version}, {"compiler", __VERSION__}}, 1);
  out.family("dashboard_uptime_seconds", metric_type::gauge, "Seconds since the server started.");
  out.sample({}, std::chrono::duration<double>(app.system.watched().now() - app.started).count());
  out.family("dashboard_log_lines_dropped_total", metric_type::counter,
             "Log lines dropped because the log was not read or could not be written.");
  out.sample({}, app.log.dropped());

  out.family("dashboard_connections", metric_type::gauge,
             "Connections by state: serving a request, or idle.");
  out.sample({{"state", "serving"}}, seen.serving);
  out.sample({{"state", "idle"}}, seen.idle);
  out.family("dashboard_connections_limit", metric_type::gauge, "Connections that may be open at once.");
  out.sample({}, seen.limit);
  out.family("dashboard_connections_refused_total", metric_type::counter,
             "Connections answered 503 because as many as allowed were open and none was idle.");
  out.sample({}, seen.refused);
  out.family("dashboard_threads", metric_type::gauge, "Threads that run the routes that may wait.");
  out.sample({}, seen.threads);
  out.family("dashboard_threads_busy", metric_type::gauge, "Of these threads, those that run a route.");
  out.sample({}, seen.busy);
}

void write_pools(prometheus_text& out, const staging_system& system) {
  const auto write = [&](std::string_view pool, const pool_usage& seen) {
    out.family("dashboard_pool_connections", metric_type::gauge,
               "Connections of the pool by state: in_use, idle.");
    out.sample({{"pool", pool}, {"state", "in_use"}}, seen.in_use);
    out.sample({{"pool", pool}, {"state", "idle"}}, seen.idle);
    out.family("dashboard_pool_capacity", metric_type::gauge,
               "Connections of the pool that may be in use at the present level.");
    out.sample({{"pool", pool}}, seen.capacity);
    out.family("dashboard_pool_waiting", metric_type::gauge, "Calls that wait for a connection of the pool.");
    out.sample({{"pool", pool}}, seen.waiting);
  };
  write("database", system.usage_of_database());
  write("redis", system.usage_of_redis());
  write("openai", system.usage_of_openai());
}

void write_dependencies(prometheus_text& out, const staging_system& system) {
  out.family("dashboard_dependency_info", metric_type::gauge,
             "1, with the dependency's kind: real or simulated.");
  for (const auto which : all_dependencies) {
    out.sample({{"dependency", to_string(which)}, {"kind", system.simulated(which) ? "simulated" : "real"}},
               1);
  }
}

}  // namespace

void add_metrics_route(http_server& server, application& app) {
  const auto write = [&](const request&, response& out) {
    prometheus_text text;
    write_server(text, app, server.connections());
    app.metrics.write(text);
    write_pools(text, app.system);
    write_dependencies(text, app.system);
    const auto seen = app.system.watched().snapshot();
    write_metrics(text, seen);
    write_timestamps(text, seen, std::chrono::system_clock::now());
    write_process_metrics(text);
    out.content_type = prometheus_text::content_type;
    out.body = text.text();
  };
  server.route("GET", "/metrics", "metrics", access::keyed, write, quota::metrics);
}

}  // namespace staging
