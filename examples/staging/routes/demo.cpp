// SPDX-License-Identifier: BSL-1.0
#include "routes/routes.hpp"
#include "routes/views.hpp"
#include "service/recommendations.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace staging {

namespace {

/// Counts an answer, and says what its log line tells of it.
log_notes told(application& app, level now, feature which, std::string_view source, const shortfall& lacked) {
  app.metrics.count_answer(to_string(which), source);
  log_notes notes{{"feature", std::string{to_string(which)}},
                  {"source", std::string{source}},
                  {"degradation_level", std::string{to_string(now)}}};
  if (lacked.of) notes.emplace_back("dependency", to_string(*lacked.of));
  if (!lacked.reason.empty()) notes.emplace_back("reason", lacked.reason);
  return notes;
}

/// `until`: the feature whose return a client may wait for.
[[noreturn]] void unavailable(const application& app, feature until, std::string why, log_notes notes) {
  auto answer =
      error(503, "feature_unavailable", std::move(why), {{"Retry-After", retry_after(app.system, until)}});
  answer.notes = std::move(notes);
  throw http_error(std::move(answer));
}

/// At EMERGENCY there is nothing but status pages.
void require_more_than_status(application& app, const brownout::feature_view_for<features>& offered,
                              feature which) {
  constexpr auto needed = feature::read_only_access;
  if (offered.available(needed)) return;
  unavailable(app, needed, "Only status pages are offered for now.",
              told(app, offered.level(), which, "none", shortfall_of(offered, needed)));
}

void inventory_stats(application& app, response& out) {
  const auto offered = app.system.watched().features();
  constexpr auto which = feature::inventory_management;
  require_more_than_status(app, offered, which);
  auto found = app.stock.report(offered);
  auto notes = told(app, offered.level(), which, found.source, found.lacked);
  if (found.source == "none")
    unavailable(app, which, "The stock is not known: " + found.reason + ".", std::move(notes));
  auto view = std::move(found.stats);
  view["source"] = found.source;
  view["simulated"] = app.system.simulated(dependency::database);
  view["age_seconds"] = found.age ? json(*found.age) : json(nullptr);
  view["reason"] = found.reason;
  out.json(view);
  out.notes = std::move(notes);
}

void recommendations(application& app, response& out) {
  const auto offered = app.system.watched().features();
  constexpr auto which = feature::ai_recommendations;
  require_more_than_status(app, offered, which);
  const auto found = recommend(app.system, app.stock, offered);
  out.json({{"recommendations", found.advice},
            {"source", found.source},
            {"simulated", found.source == "openai" && app.system.simulated(dependency::openai)},
            {"reason", found.reason}});
  out.notes = told(app, offered.level(), which, found.source, found.lacked);
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
