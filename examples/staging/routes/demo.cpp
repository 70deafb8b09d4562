// SPDX-License-Identifier: BSL-1.0
#include "routes/routes.hpp"
#include "routes/views.hpp"
#include "service/recommendations.hpp"

#include <string>

namespace staging {

namespace {

[[noreturn]] void unavailable(const application& app, feature which, std::string why) {
  throw http_error(
      error(503, "feature_unavailable", std::move(why), {{"Retry-After", retry_after(app.system, which)}}));
}

/// At EMERGENCY there is nothing but status pages.
void require_more_than_status(const application& app, const brownout::feature_view_for<features>& offered) {
  if (!offered.available(feature::read_only_access))
    unavailable(app, feature::read_only_access, "Only status pages are offered for now.");
}

void inventory_stats(application& app, response& out) {
  const auto offered = app.system.watched().features();
  require_more_than_status(app, offered);
  auto found = app.stock.report(offered);
  if (found.source == "none")
    unavailable(app, feature::inventory_management, "The stock is not known: " + found.reason + ".");
  auto view = std::move(found.stats);
  view["source"] = found.source;
  view["simulated"] = app.system.simulated(dependency::database);
  view["age_seconds"] = found.age ? json(*found.age) : json(nullptr);
  view["reason"] = found.reason;
  out.json(view);
}

void recommendations(application& app, response& out) {
  const auto offered = app.system.watched().features();
  require_more_than_status(app, offered);
  const auto found = recommend(app.system, app.stock, offered);
  out.json({{"recommendations", found.advice},
            {"source", found.source},
            {"simulated", found.source == "openai" && app.system.simulated(dependency::openai)},
            {"reason", found.reason}});
}

}  // namespace

void add_demo_routes(http_server& server, application& app) {
  server.route(
      "GET", "/api/inventory/stats", "inventory_stats", access::keyed,
      [&](const request&, response& out) { inventory_stats(app, out); }, quota::demo);
  server.route(
      "GET", "/api/recommendations", "recommendations", access::keyed,
      [&](const request&, response& out) { recommendations(app, out); }, quota::demo);
}

}  // namespace staging
