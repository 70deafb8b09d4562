// SPDX-License-Identifier: BSL-1.0
#include "brownout/system/component.hpp"
#include "routes/body.hpp"
#include "routes/routes.hpp"
#include "routes/views.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <string>

namespace staging {

namespace {

constexpr double shortest_override_seconds = 0.001;
constexpr double longest_override_seconds = 86'400;
constexpr double longest_latency_ms = 60'000;

brownout::duration from_seconds(double seconds) {
  return brownout::duration{static_cast<brownout::duration::rep>(std::llround(seconds * 1e9))};
}

dependency named(const request& from) {
  const auto name = from.parameter("name");
  if (const auto found = dependency_named(name)) return *found;
  throw http_error(
      {.status = 404,
       .code = "no_such_dependency",
       .message = "There is no dependency of that name; there are openai, database, redis and s3.",
       .field = {},
       .headers = {}});
}

constexpr std::size_t longest_reason = 256;
constexpr std::size_t longest_actor = 64;

operator_word word_of(const body& fields) {
  return {.actor = fields.text("actor", longest_actor), .reason = fields.text("reason", longest_reason)};
}

/// An operator's hand on a circuit: done, logged with who asked, and followed by the level at once.
handler circuit_handler(application& app, const char* action, void (brownout::component::*act)() noexcept) {
  return [&app, action, act](const request& in, response& out) {
    const auto which = named(in);
    const body fields{in, {"reason", "actor"}};
    const auto by = word_of(fields);
    auto& watched = app.system.watched();
    app.system.operators().perform(
        which, by,
        [&] {
          watched.refresh(watched.now());
          return circuit_changes_so_far(watched.snapshot(watched.now()));
        },
        [&] { (watched.at(which).*act)(); });
    app.running.nudge();
    app.log.warning("circuit changed by operator", {{"request_id", in.id},
                                                    {"dependency", to_string(which)},
                                                    {"action", action},
                                                    {"reason", by.reason},
                                                    {"actor", by.actor},
                                                    {"client", in.client}});
    const auto seen = watched.snapshot(watched.now());
    out.json(circuits_view(app.system, seen)[index(which)]);
  };
}

brownout::override_kind override_kind_of(const body& fields) {
  using enum brownout::override_kind;
  if (!fields.has("kind")) return pin;
  const auto name = fields.text("kind", 16);
  for (const auto kind : {pin, cap, freeze}) {
    if (to_string(kind) == name) return kind;
  }
  throw bad_request("kind", "must be pin, cap or freeze");
}

/// The level of a pin or a cap; a freeze keeps the one there is, and names none.
level level_of(const body& fields, brownout::override_kind kind) {
  if (kind == brownout::override_kind::freeze) {
    if (fields.has("level"))
      throw bad_request("level", "must be left out of a freeze: it keeps the level there is");
    return {};
  }
  if (const auto named = level_named(fields.text("level", 16))) return *named;
  throw bad_request("level", "must be OPTIMAL, DEGRADED, LIMITED, MINIMAL or EMERGENCY");
}

void set_override(application& app, const request& in, response& out) {
  const body fields{in, {"kind", "level", "reason", "actor", "expiry"}};
  const auto kind = override_kind_of(fields);
  const auto wanted = level_of(fields, kind);
  const auto by = word_of(fields);
  const auto expiry = fields.number("expiry", shortest_override_seconds, longest_override_seconds);
  if (!expiry) {
    throw bad_request("expiry", fmt::format("is missing; must be a number of seconds from {} to {}",
                                            shortest_override_seconds, longest_override_seconds));
  }

  auto& watched = app.system.watched();
  const auto now = watched.now();
  watched.set_override({.level = wanted,
                        .reason = by.reason,
                        .actor = by.actor,
                        .expires = now + from_seconds(*expiry),
                        .kind = kind},
                       now);
  app.running.nudge();
  app.log.warning("level overridden by operator", {{"request_id", in.id},
                                                   {"kind", to_string(kind)},
                                                   {"level", to_string(watched.features().level())},
                                                   {"reason", by.reason},
                                                   {"actor", by.actor},
                                                   {"expiry_seconds", *expiry},
                                                   {"client", in.client}});
  out.json(degradation_view(app.system, watched.snapshot(watched.now())));
}

void clear_override(application& app, const request& in, response& out) {
  const auto by = word_of(body{in, {"reason", "actor"}});
  auto& watched = app.system.watched();
  const auto now = watched.now();
  if (watched.snapshot(now).active_override) app.system.operators().note_release(now, by);
  watched.clear_override(now);
  app.running.nudge();
  app.log.warning("level released by operator",
                  {{"request_id", in.id}, {"reason", by.reason}, {"actor", by.actor}, {"client", in.client}});
  out.json(degradation_view(app.system, watched.snapshot(watched.now())));
}

void simulate(application& app, const request& in, response& out) {
  const auto which = named(in);
  if (!app.system.simulated(which)) {
    throw http_error(
        error(409, "not_simulated",
              fmt::format("{} is a real dependency; only simulated ones can be told how to behave.",
                          to_string(which))));
  }
  const body fields{in, {"mode", "latency_ms", "error_rate"}};
  simulated_behaviour behaviour;
  const auto mode = parse_mode(fields.text("mode", 16));
  if (!mode) throw bad_request("mode", "must be up, down, slow or flaky");
  behaviour.mode = *mode;
  if (const auto latency = fields.number("latency_ms", 0, longest_latency_ms)) {
    behaviour.latency = from_seconds(*latency / 1000);
  }
  behaviour.error_rate = fields.number("error_rate", 0, 1).value_or(behaviour.error_rate);
  app.system.simulator_of(which).set(behaviour);
  app.log.info(
      "simulated dependency told how to behave",
      {{"request_id", in.id}, {"dependency", to_string(which)}, {"mode", to_string(behaviour.mode)}});
  json shown{{"dependency", to_string(which)}, {"simulated", true}};
  shown.update(simulation_view(behaviour));
  out.json(shown);
}

}  // namespace

void add_control_routes(http_server& server, application& app) {
  server.route("POST", "/api/circuit-breakers/{name}/open", "circuit_breaker_open", access::keyed,
               circuit_handler(app, "open", &brownout::component::force_open));
  // Both leave a closed circuit with empty statistics; the API has kept the two names of the system it
  // reproduces.
  server.route("POST", "/api/circuit-breakers/{name}/close", "circuit_breaker_close", access::keyed,
               circuit_handler(app, "close", &brownout::component::reset));
  server.route("POST", "/api/circuit-breakers/{name}/reset", "circuit_breaker_reset", access::keyed,
               circuit_handler(app, "reset", &brownout::component::reset));
  server.route("POST", "/api/degradation/override", "override", access::keyed,
               [&](const request& in, response& out) { set_override(app, in, out); });
  server.route("DELETE", "/api/degradation/override", "override", access::keyed,
               [&](const request& in, response& out) { clear_override(app, in, out); });
  server.route("POST", "/api/simulate/{name}", "simulate", access::keyed,
               [&](const request& in, response& out) { simulate(app, in, out); });
}

}  // namespace staging
