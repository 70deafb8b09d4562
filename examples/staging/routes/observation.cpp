// SPDX-License-Identifier: BSL-1.0
#include "brownout/version.hpp"
#include "http/json_text.hpp"
#include "routes/routes.hpp"
#include "routes/views.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

namespace staging {

namespace {

double uptime(const application& app) {
  return std::chrono::duration<double>(app.system.watched().now() - app.started).count();
}

system_snapshot snapshot(const application& app) {
  return app.system.watched().snapshot(app.system.watched().now());
}

json simulated_view(const staging_system& system) {
  auto view = json::object();
  for (const auto which : all_dependencies) view[std::string{to_string(which)}] = system.simulated(which);
  return view;
}

void health(const application& app, response& out) {
  const auto seen = snapshot(app);
  const auto offered = app.system.watched().features();
  const auto& database = seen.components[index(dependency::database)];
  const bool connected = database.circuit.state == brownout::circuit_state::closed &&
                         database.last_error.empty() && database.last_probe_at.has_value();
  const bool starting = is_starting(seen);
  const bool emergency = seen.level == level::emergency;
  if (starting || emergency) {
    out.status = 503;
    out.headers.push_back({"Retry-After", retry_after(app.system, feature::read_only_access)});
  }
  auto timestamp = wall_time(seen.at, seen.at);
  timestamp.pop_back();  // the original's clients know it without the Z
  const auto* const status = starting                       ? "starting"
                             : emergency                    ? "unhealthy"
                             : seen.level == level::optimal ? "healthy"
                                                            : "degraded";
  json_text text;
  text.member("status", status);
  text.member("timestamp", timestamp);
  text.member("database", connected ? "connected" : "disconnected");
  text.begin("services");
  text.member("dashboard", "ok");
  text.member("analytics", offered.available(feature::basic_analytics) ? "ok" : "unavailable");
  text.member("api", emergency ? "status page only" : "ok");
  text.end();
  text.member("degradation_level", level_view(seen));
  text.member("health_score", seen.score);
  text.begin("components");
  write_components(text, app.system, seen);
  text.end();
  text.raw("predicted_recovery_seconds", recovery_view(seen.recovery).dump());
  out.body = text.object();
}

void status(const application& app, response& out) {
  const auto seen = snapshot(app);
  out.json({
      {"name", "brownout staging"},
      {"version",
       fmt::format("{}.{}.{}", BROWNOUT_VERSION_MAJOR, BROWNOUT_VERSION_MINOR, BROWNOUT_VERSION_PATCH)},
      {"uptime_seconds", uptime(app)},
      {"degradation_level", level_view(seen)},
      {"health_score", seen.score ? json(*seen.score) : json(nullptr)},
      {"simulated", simulated_view(app.system)},
      {"components", components_view(app.system, seen)},
  });
}

}  // namespace

void add_observation_routes(http_server& server, application& app) {
  const auto livez = [](const request&, response& out) { out.json({{"status", "ok"}}); };
  const auto readyz = [&](const request&, response& out) {
    // One dependency must never take every instance out of the balancer: only EMERGENCY does, a start, and
    // draining.
    const bool ready = !server.draining() && app.system.watched().ready();
    out.status = ready ? 200 : 503;
    out.json({{"status", ready ? "ready" : "not ready"}});
  };
  // What asks these asks often, and needs an answer most when the workers have none.
  server.route("GET", "/livez", "livez", access::open, livez, quota::health, run_by::reader);
  server.route("GET", "/readyz", "readyz", access::open, readyz, quota::health, run_by::reader);
  server.route(
      "GET", "/health", "health", access::keyed, [&](const request&, response& out) { health(app, out); },
      quota::health, run_by::reader);
  add_metrics_route(server, app);
  server.route("GET", "/api/status", "status", access::keyed,
               [&](const request&, response& out) { status(app, out); });
  server.route("GET", "/api/circuit-breakers", "circuit_breakers", access::keyed,
               [&](const request&, response& out) {
                 out.json({{"circuit_breakers", circuits_view(app.system, snapshot(app))}});
               });
  server.route("GET", "/api/features", "features", access::keyed, [&](const request&, response& out) {
    out.json(features_view(app.system.watched().features(), level_view(snapshot(app))));
  });
  server.route("GET", "/api/degradation", "degradation", access::keyed,
               [&](const request&, response& out) { out.json(degradation_view(app.system, snapshot(app))); });
}

}  // namespace staging
