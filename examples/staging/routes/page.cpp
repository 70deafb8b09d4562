// SPDX-License-Identifier: BSL-1.0
#include "http/security_headers.hpp"
#include "routes/page_files.hpp"
#include "routes/routes.hpp"
#include "routes/views.hpp"

#include <string>
#include <string_view>

namespace staging {

namespace {

std::string_view content_type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  return "image/svg+xml";
}

void add_file(http_server& server, const page_file& file) {
  const bool is_page = file.name == "index.html";
  server.route("GET", is_page ? "/" : "/page/" + std::string{file.name}, is_page ? "page" : "page_file",
               access::open, [file, is_page](const request&, response& out) {
                 out.content_type = content_type_of(file.name);
                 out.body = file.content;
                 // May be kept, but not used unasked: after an update page and script must go together.
                 out.headers.push_back({"Cache-Control", "no-cache"});
                 if (is_page)
                   out.headers.push_back({"Content-Security-Policy", std::string{page_content_policy}});
               });
}

/// All that the page shows in one answer: the rate limit counts requests.
void overview(const application& app, response& out) {
  auto& watched = app.system.watched();
  const auto seen = watched.snapshot(watched.now());
  out.json({{"at", wall_time(seen.at, seen.at)},
            {"degradation", degradation_view(app.system, seen)},
            {"circuit_breakers", circuits_view(app.system, seen)},
            {"features", features_view(watched.features(), level_view(seen))}});
}

}  // namespace

void add_page_routes(http_server& server, application& app) {
  for (const auto& file : page_files) add_file(server, file);
  server.route("GET", "/api/overview", "overview", access::keyed,
               [&](const request&, response& out) { overview(app, out); });
}

}  // namespace staging
