// SPDX-License-Identifier: BSL-1.0
#include "http/security_headers.hpp"
#include "routes/page_files.hpp"
#include "routes/routes.hpp"
#include "routes/views.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace staging {

namespace {

void add_file(http_server& server, std::string path, std::string label, std::string_view content_type,
              std::string_view content) {
  server.route("GET", std::move(path), std::move(label), access::open,
               [content_type, content](const request&, response& out) {
                 out.content_type = content_type;
                 out.body = content;
                 // May be kept, but not used unasked: after an update page and script must go together.
                 out.headers.push_back({"Cache-Control", "no-cache"});
                 if (content_type.starts_with("text/html"))
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
            {"features", features_view(watched.features())}});
}

}  // namespace

void add_page_routes(http_server& server, application& app) {
  add_file(server, "/", "page", "text/html; charset=utf-8", page_files::index_html);
  add_file(server, "/page.css", "page_css", "text/css; charset=utf-8", page_files::page_css);
  add_file(server, "/page.js", "page_js", "text/javascript; charset=utf-8", page_files::page_js);
  add_file(server, "/page.svg", "page_svg", "image/svg+xml", page_files::page_svg);
  server.route("GET", "/api/overview", "overview", access::keyed,
               [&](const request&, response& out) { overview(app, out); });
}

}  // namespace staging
