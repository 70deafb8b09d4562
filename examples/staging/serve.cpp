// SPDX-License-Identifier: BSL-1.0
#include "serve.hpp"

#include "brownout/system/supervision.hpp"
#include "config/api_key_source.hpp"
#include "http/agent_check.hpp"
#include "http/json_log.hpp"
#include "http/server.hpp"
#include "routes/routes.hpp"
#include "routes/views.hpp"
#include "service/staging_system.hpp"
#include "shutdown.hpp"
#include "step_log.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace staging {

namespace {

constexpr std::chrono::milliseconds for_the_log{200};  // to be written at the end
constexpr rlim_t own_descriptors = 128;  // beside connections of clients: those to dependencies, and others

http_options options_of(const settings& from, std::string key) {
  http_options options;
  options.api_key = std::move(key);
  options.connections = from.connections;
  options.hsts = from.enable_hsts;
  options.trusted_proxies = from.trusted_proxies;
  options.rate_limit.enabled = from.rate_limit.enabled;
  options.rate_limit.requests = from.rate_limit.requests;
  options.rate_limit.window = from.rate_limit.window;
  return options;
}

/// Logs what a step decided, notes score and level once they are known, and gives the pools the size that the
/// level in force allows.
void follow(staging_system& system, step_log& steps, const supervisor::plan_type& plan) {
  const auto seen = system.watched().snapshot();
  if (!is_starting(seen)) system.scores().note({seen.at, seen.score, seen.level});
  system.resize_pools(seen.level);
  steps.note(plan, seen);
}

json simulated_names(const staging_system& system) {
  auto names = json::array();
  for (const auto which : all_dependencies) {
    if (system.simulated(which)) names.push_back(to_string(which));
  }
  return names;
}

std::uint16_t bind(http_server& server, const settings& from) {
  try {
    return server.bind(from.host, from.port);
  } catch (const std::runtime_error& error) {
    // What the operator has to change is the variable.
    throw std::runtime_error(
        fmt::format("API_PORT='{}': {}; must be a free port on API_HOST='{}', or 0 for any", from.port,
                    error.what(), from.host));
  }
}

/// Tells HAProxy the weight that goes with the level, if it is asked for.
void answer_agent_checks(std::optional<agent_check>& agent, const http_server& server, staging_system& system,
                         const settings& from) {
  if (!from.agent_port) return;
  const auto line = [&] {
    const int weight = server.draining() ? 0 : settings_at[system.watched().features().level()].weight;
    return fmt::format("{}%", weight);
  };
  try {
    agent.emplace(from.host, *from.agent_port, line);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(
        fmt::format("AGENT_PORT='{}': {}; must be a free port on API_HOST='{}', or 0 for any",
                    *from.agent_port, error.what(), from.host));
  }
}

}  // namespace

void fit_to_descriptors(settings& wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  // The soft limit of 1024 is for programs that use `select`, which this one does not.
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  const auto descriptors = setrlimit(RLIMIT_NOFILE, &raised) == 0 ? limit.rlim_max : limit.rlim_cur;
  const auto own = std::min(own_descriptors, descriptors / 2);
  if (wanted.connections <= descriptors - own) return;
  wanted.warnings.push_back(fmt::format(
      "API_CONNECTIONS='{}': the system allows {} open files, of which the server needs {} itself; {} "
      "connections are accepted",
      wanted.connections, descriptors, own, descriptors - own));
  wanted.connections = static_cast<std::uint32_t>(descriptors - own);
}

void check(const settings& from) {
  json_log log;
  const staging_system system{from};
  const http_server server{options_of(from, from.api_key ? *from.api_key : random_api_key()), log};
}

int serve(const settings& from) {
  shutdown_signals signals;       // before any thread: they inherit the mask
  std::signal(SIGPIPE, SIG_IGN);  // hiredis writes to sockets that may have been closed
  json_log log;
  log.set_level(from.log);
  for (const auto& warning : from.warnings) log.warning("configuration", {{"warning", warning}});

  const bool makes_key = !from.api_key;
  const std::string key = makes_key ? random_api_key() : *from.api_key;

  staging_system system{from};
  http_server server{options_of(from, key), log};
  const auto port = bind(server, from);

  request_metrics metrics;
  server.on_request(
      [&](std::string_view route, int status, double seconds) { metrics.count(route, status, seconds); });
  inventory stock{system};
  step_log steps{system, log};
  brownout::supervision running{system.watched(), [&](const auto& plan) { follow(system, steps, plan); }};
  application app{system, running, stock, metrics, log, system.watched().now()};
  add_observation_routes(server, app);
  add_control_routes(server, app);
  add_demo_routes(server, app);
  add_page_routes(server, app);

  std::optional<agent_check> agent;
  answer_agent_checks(agent, server, system, from);

  server.start();
  if (makes_key)
    std::fprintf(stderr, "DASHBOARD_API_KEY is not set; the key of this run is %s\n", key.c_str());
  const auto host = from.host.find(':') == std::string::npos ? from.host : "[" + from.host + "]";
  log.info("listening", {{"address", fmt::format("http://{}:{}", host, port)},
                         {"agent_port", agent ? json(agent->port()) : json(nullptr)},
                         {"simulated", simulated_names(system)}});

  const int signal = signals.wait();
  log.info("draining", {{"signal", signal}});
  const bool clean = shut_down(server, system, running, log, {from.shutdown_drain, from.shutdown_grace});
  log.info("stopped", {{"clean", clean}});
  const bool written = log.flush(for_the_log);
  // A request that hangs refers to objects of this function, and a probe to those of its libraries: nothing
  // may be destroyed under them. If the log hangs, it holds standard output, and a proper exit would wait.
  if (!clean || !written) std::_Exit(EXIT_SUCCESS);
  return EXIT_SUCCESS;
}

}  // namespace staging
