// SPDX-License-Identifier: BSL-1.0

// The live page as the server hands it out: what a browser is given, and that the server has all it asks for.
#include "catch2.hpp"
#include "staging/support/staging_server.hpp"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace staging_tests;

namespace {

struct page_file {
  std::string path;
  std::string name;  // in the repository
  std::string content_type;
};

std::string content_type_of(const std::string& name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return name.ends_with(".js") ? "text/javascript; charset=utf-8" : "image/svg+xml";
}

/// What is in the directory of the page, but what makes code of it.
std::vector<page_file> files_of_the_page() {
  std::vector<page_file> found;
  for (const auto& one : std::filesystem::directory_iterator{BROWNOUT_PAGE_FILES}) {
    const auto name = one.path().filename().string();
    if (name == "embed.cmake") continue;
    found.push_back({name == "index.html" ? "/" : "/page/" + name, name, content_type_of(name)});
  }
  return found;
}

const std::vector<page_file> files = files_of_the_page();

std::string source(const std::string& name) {
  std::ifstream file{std::string{BROWNOUT_PAGE_FILES} + "/" + name, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error{"can't read " + name};
  return text.str();
}

const staging_server& server() {
  static const staging_server shared{variables{}};
  return shared;
}

/// What the first group of `pattern` stands for, wherever it matches.
std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex searched{pattern};
  std::set<std::string> found;
  for (std::sregex_iterator at{text.begin(), text.end(), searched}, end; at != end; ++at) {
    found.insert((*at)[1].str());
  }
  return found;
}

/// The names of the scripts.
std::vector<std::string> scripts() {
  std::vector<std::string> names;
  for (const auto& file : files) {
    if (file.name.ends_with(".js")) names.push_back(file.name);
  }
  return names;
}

using flaws =
    std::vector<std::pair<std::string, std::string>>;  // what is wrong, and the pattern that shows it

/// The names of those patterns that a text matches.
std::vector<std::string> found_in(const std::string& text, const flaws& known) {
  std::vector<std::string> names;
  for (const auto& [name, pattern] : known) {
    if (std::regex_search(text, std::regex{pattern, std::regex::icase})) names.push_back(name);
  }
  return names;
}

const flaws html_flaws{
    {"inline script", "<script(?![^>]*\\ssrc=)[^>]*>|<script[^>]*>\\s*[^<\\s]"},
    {"inline style", "<style"},
    {"event attribute", "\\son[a-z]+\\s*="},
    {"style attribute", "\\sstyle\\s*="},
    {"script URL", "javascript:"},
    {"foreign URL", "[a-z]+://|[\"'=]\\s*//|\\b(data|blob):"},
    {"frame or plug-in", "<(i?frame|object|embed|base)\\b"},
};

const flaws css_flaws{{"foreign URL", "url\\(|@import|//"}};

const flaws script_flaws{
    {"markup from text",
     "\\b(innerHTML|outerHTML|insertAdjacentHTML|srcdoc|DOMParser|createContextualFragment)\\b"},
    {"markup from text", "document\\.write"},
    {"code from text", "\\beval\\b|\\bFunction\\s*\\(|set(Timeout|Interval)\\(\\s*[\"'`]|\\bimport\\s*\\("},
    {"foreign URL", "(?!http://www\\.w3\\.org/2000/svg)\\b[a-z]+://|[\"'`]//|javascript:"},
    {"key kept elsewhere",
     "localStorage|cookie|indexedDB|\\bcaches\\b|location\\.|\\bhistory\\.(push|replace)"},
    {"inline style", "cssText|[\"'`]style[\"'`]"},
};

}  // namespace

TEST_CASE("the page's files need no key, and are those of the repository", "[page]") {
  for (const auto& file : files) {
    INFO(file.path);
    const auto given = server().get(file.path, {});
    CHECK(given.status == 200);
    CHECK(given.header("Content-Type") == file.content_type);
    CHECK(given.body == source(file.name));
  }
}

TEST_CASE("the page's files carry the security headers, and are asked for again each time", "[page]") {
  for (const auto& file : files) {
    INFO(file.path);
    const auto given = server().get(file.path, {});
    CHECK(given.header("X-Content-Type-Options") == "nosniff");
    CHECK(given.header("X-Frame-Options") == "DENY");
    CHECK(given.header("Referrer-Policy") == "no-referrer");
    CHECK(given.header("Permissions-Policy") != "");
    CHECK(given.header("Cache-Control") == "no-cache");
    CHECK(given.header("X-Request-ID") != "");
    const auto policy = given.header("Content-Security-Policy");
    CHECK(policy.find("default-src 'none'") == 0);
    CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
    CHECK(policy.find("unsafe") == std::string::npos);
    CHECK(policy.find('*') == std::string::npos);
    const bool is_page =
        policy.find("script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'") !=
        std::string::npos;
    CHECK(is_page == (file.path == "/"));
  }
}

TEST_CASE("the page's files are not counted by the rate limit", "[page]") {
  const staging_server limited{
      {{"DASHBOARD_RATELIMIT_ENABLED", "true"}, {"DASHBOARD_RATELIMIT_REQUESTS", "2"}}};
  for (const auto& file : files) {
    const auto given = limited.get(file.path, {});
    CHECK(given.status == 200);
    CHECK(given.headers.count("RateLimit-Limit") == 0);
  }
  const auto shown = limited.get("/api/overview");
  CHECK(shown.status == 200);
  CHECK(shown.header("RateLimit-Remaining") == "1");
}

TEST_CASE("the page's files answer HEAD like GET, and no other method", "[page]") {
  httplib::Client client{"127.0.0.1", server().port()};
  for (const auto& file : files) {
    INFO(file.path);
    const auto head = client.Head(file.path.c_str());
    REQUIRE(head);
    CHECK(head->status == 200);
    CHECK(head->body == "");
    CHECK(head->get_header_value("Content-Type") == file.content_type);
    CHECK(head->get_header_value("Content-Length") == std::to_string(source(file.name).size()));

    const auto posted = server().post(file.path);
    CHECK(posted.status == 405);
    CHECK(posted.header("Allow") == "GET, HEAD");
    CHECK(posted.header("X-Content-Type-Options") == "nosniff");
    CHECK(posted.header("Content-Type") == "application/json");
    const auto deleted = client.Delete(file.path.c_str());
    REQUIRE(deleted);
    CHECK(deleted->status == 405);
  }
}

TEST_CASE("nothing in the page's files is inline, foreign or made of text", "[page]") {
  const auto none = std::vector<std::string>{};
  CHECK(found_in(source("index.html"), html_flaws) == none);
  CHECK(found_in(source("style.css"), css_flaws) == none);
  for (const auto& script : scripts()) {
    INFO(script);
    CHECK(found_in(source(script), script_flaws) == none);
  }

  // And were there any, it would be seen.
  for (const auto& [planted, flaw] : std::vector<std::pair<std::string, std::string>>{
           {"<script>ask()</script>", "inline script"},
           {"<script src=\"/page/main.js\">ask()</script>", "inline script"},
           {"<style>p { color: red }</style>", "inline style"},
           {"<p onclick=\"ask()\">", "event attribute"},
           {"<p style=\"color: red\">", "style attribute"},
           {"<a href=\"JavaScript:ask()\">", "script URL"},
           {"<img src=\"https://example.org/x\">", "foreign URL"},
           {"<img src=\"//example.org/x\">", "foreign URL"},
           {"<link rel=\"icon\" href=\"data:,\">", "foreign URL"},
           {"<iframe src=\"/\"></iframe>", "frame or plug-in"}}) {
    INFO(planted);
    CHECK(found_in(source("index.html") + planted, html_flaws) == std::vector{flaw});
  }
  for (const auto* planted : {"p { background: url(/x) }", "@import \"/x.css\";"}) {
    CHECK(found_in(source("style.css") + planted, css_flaws) == std::vector<std::string>{"foreign URL"});
  }
  for (const auto& [planted, flaw] : std::vector<std::pair<std::string, std::string>>{
           {"element.innerHTML = text;", "markup from text"},
           {"document.write(text);", "markup from text"},
           {"eval(text);", "code from text"},
           {"new Function(text);", "code from text"},
           {"setTimeout(\"ask()\", 1);", "code from text"},
           {"fetch(\"https://example.org\");", "foreign URL"},
           {"localStorage.setItem(KEPT_AS, key);", "key kept elsewhere"},
           {"import(text);", "code from text"},
           {"element.style.cssText = text;", "inline style"}}) {
    INFO(planted);
    CHECK(found_in(source("main.js") + planted, script_flaws) == std::vector{flaw});
  }
}

TEST_CASE("everything that the HTML and the scripts name is there, without a key", "[page]") {
  auto named = all_matches(source("index.html"), R"re(\s(?:src|href|action)="([^"]*)")re");
  CHECK(named == std::set<std::string>{"/page/style.css", "/page/main.js", "/page/icon.svg"});
  for (const auto& script : scripts()) {
    for (const auto& other : all_matches(source(script), R"re(from "\./([^"]*)")re"))
      named.insert("/page/" + other);
  }
  CHECK(named.size() + 1 == files.size());  // and nothing is there that is not named
  for (const auto& path : named) {
    INFO(path);
    CHECK(server().get(path, {}).status == 200);
  }
}

TEST_CASE("every element that the scripts look for is in the HTML, once", "[page]") {
  const auto html = source("index.html");
  std::set<std::string> wanted;
  for (const auto& script : scripts()) wanted.merge(all_matches(source(script), R"re(\bbyId\("([^"]*)")re"));
  CHECK(wanted.size() > 30);
  for (const auto& id : wanted) {
    INFO(id);
    const std::string attribute = " id=\"" + id + "\"";
    const auto at = html.find(attribute);
    CHECK(at != std::string::npos);
    CHECK(html.find(attribute, at + 1) == std::string::npos);
  }
  // What screen readers are told to watch.
  CHECK(std::regex_search(html, std::regex{R"re(id="announce"[^>]*role="status")re"}));
  CHECK(std::regex_search(html, std::regex{R"re(id="stale"[^>]*role="alert")re"}));
  CHECK(std::regex_search(html, std::regex{R"re(<html lang="en">)re"}));
}
