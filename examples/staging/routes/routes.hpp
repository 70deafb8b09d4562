// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/system/supervision.hpp"
#include "http/json_log.hpp"
#include "http/server.hpp"
#include "service/inventory.hpp"
#include "service/request_metrics.hpp"
#include "service/staging_system.hpp"

namespace staging {

/// What the routes answer from. Everything in it must outlive the server.
struct application {
  staging_system& system;
  brownout::supervision<supervisor>& running;
  inventory& stock;
  request_metrics& metrics;
  json_log& log;
  brownout::time_point started;
};

/// What can be seen: liveness, health, metrics, circuits, features, degradation.
void add_observation_routes(http_server& server, application& app);

/// What Prometheus scrapes: a part of the observation routes.
void add_metrics_route(http_server& server, application& app);

/// What an operator can do: circuits, overrides, simulated dependencies.
void add_control_routes(http_server& server, application& app);

/// The live page: static files that need no key, and the one answer that it asks for with the key.
void add_page_routes(http_server& server, application& app);

/// The two demo features: stock figures and recommendations.
void add_demo_routes(http_server& server, application& app);

}  // namespace staging
