// SPDX-License-Identifier: BSL-1.0
#include "brownout/system/supervision.hpp"
#include "config/api_key_source.hpp"
#include "config/config_error.hpp"
#include "config/environment.hpp"
#include "config/settings.hpp"
#include "config/variables.hpp"
#include "http/json_log.hpp"
#include "http/server.hpp"
#include "routes/routes.hpp"
#include "routes/views.hpp"
#include "service/staging_system.hpp"
#include "shutdown.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <system_error>

namespace {

using namespace staging;

constexpr int refused_to_start = 2;
constexpr std::chrono::milliseconds for_the_log{200};  // to be written at the end

http_options options_of(const settings& from, std::string key) {
  http_options options;
  options.api_key = std::move(key);
  options.hsts = from.enable_hsts;
  options.trusted_proxies = from.trusted_proxies;
  options.rate_limit.enabled = from.rate_limit.enabled;
  options.rate_limit.requests = from.rate_limit.requests;
  options.rate_limit.window = from.rate_limit.window;
  return options;
}

/// Ends the process with one line. Not by a proper exit: that waits for whoever does not read the log.
[[noreturn]] void refuse(const char* why) {
  std::fprintf(stderr, "%s\n", why);
  std::_Exit(refused_to_start);
}

/// Logs what a step decided, and gives the pools the size that the level in force allows.
void follow(staging_system& system, json_log& log, const supervisor::plan_type& plan) {
  const auto now = system.watched().now();
  for (const auto& change : plan.circuit_changes) {
    const bool worse = refuses_calls(change.to);
    log.write(worse ? log_level::warning : log_level::info, "circuit changed", change_view(change, now));
  }
  system.resize_pools(system.watched().features().level());
  for (const auto& change : plan.level_changes) {
    log.write(change.to > change.from ? log_level::warning : log_level::info, "level changed",
              transition_view(change, now));
  }
}

/// Builds all that the configuration decides about, and connects to nothing: whatever a start would refuse is
/// refused here too, but for the port.
void check(const settings& from) {
  json_log log;
  const staging_system system{from};
  const http_server server{options_of(from, from.api_key ? *from.api_key : random_api_key()), log};
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

int serve(const settings& from) {
  shutdown_signals signals;  // before any thread: they inherit the mask
  json_log log;
  log.set_level(from.log);

  const bool makes_key = !from.api_key;
  const std::string key = makes_key ? random_api_key() : *from.api_key;

  staging_system system{from};
  http_server server{options_of(from, key), log};
  const auto port = bind(server, from);

  request_metrics metrics;
  server.on_request(
      [&](std::string_view route, int status, double seconds) { metrics.count(route, status, seconds); });
  inventory stock{system};
  brownout::supervision<supervisor> running{system.watched(),
                                            [&](const auto& plan) { follow(system, log, plan); }};
  application app{system, running, stock, metrics, log, system.watched().now()};
  add_observation_routes(server, app);
  add_control_routes(server, app);
  add_demo_routes(server, app);
  add_page_routes(server, app);

  serving_thread serving{server};
  if (makes_key)
    std::fprintf(stderr, "DASHBOARD_API_KEY is not set; the key of this run is %s\n", key.c_str());
  const auto host = from.host.find(':') == std::string::npos ? from.host : "[" + from.host + "]";
  log.info("listening",
           {{"address", fmt::format("http://{}:{}", host, port)}, {"simulated", simulated_names(system)}});

  const int signal = signals.wait();
  serving.rethrow_failure();
  log.info("draining", {{"signal", signal}});
  const bool clean = shut_down(server, serving, system, running, log);
  log.info("stopped", {{"clean", clean}});
  const bool written = log.flush(for_the_log);
  // Whatever still hangs, hangs in a thread that refers to this process's state: nothing may be destroyed
  // under it. One that hangs in writing the log holds standard output, for which a proper exit would wait.
  if (!clean || !written) std::_Exit(EXIT_SUCCESS);
  return EXIT_SUCCESS;
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App command{
      "brownout's staging server: a dashboard API that dims with its dependencies instead of going dark."};
  bool check_only = false;
  command.add_flag("--check-config", check_only,
                   "Check the environment variables below and exit: 0 when they are fine, 2 when not");
  command.footer("Configuration comes from the environment:\n\n" + help_text());
  try {
    command.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? command.exit(error) : (command.exit(error), refused_to_start);
  }
  try {
    const auto read = read_settings(process_environment());
    if (check_only) {
      check(read);
      std::puts("The configuration is fine.");
      return EXIT_SUCCESS;
    }
    return serve(read);
  } catch (const std::bad_alloc&) {
    refuse("There is not enough memory");
  } catch (const std::system_error& error) {
    refuse(fmt::format("The system refuses what the server needs: {}", error.what()).c_str());
  } catch (const std::exception& error) {
    refuse(error.what());
  }
}
