// SPDX-License-Identifier: BSL-1.0

// The live page as the server hands it out: what a browser is given, and that the server has all it asks for.
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/staging_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

struct page_file {
  std::string path;
  std::string name;  // in the repository
  std::string content_type;
};

const std::vector<page_file> files{
    {"/", "index.html", "text/html; charset=utf-8"},
    {"/page.css", "page.css", "text/css; charset=utf-8"},
    {"/page.js", "page.js", "text/javascript; charset=utf-8"},
    {"/page.svg", "page.svg", "image/svg+xml"},
};

std::string source(const std::string& name) {
  std::ifstream file{std::string{BROWNOUT_PAGE_FILES} + "/" + name, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error{"can't read " + name};
  return text.str();
}

/// One that fails fast and recovers fast, so that outages can be had by the dozen.
variables with_nervous_redis() {
  return {{"HEALTH_CHECK_INTERVAL", "0.05"},
          {"DEGRADATION_DWELL", "0.05"},
          {"REDIS_CB_FAILURE_THRESHOLD", "1"},
          {"REDIS_CB_RECOVERY_TIMEOUT", "0.05"},
          {"REDIS_CB_HALF_OPEN_REQUESTS", "1"}};
}

const staging_server& server() {
  static const staging_server shared{with_nervous_redis()};
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
    {"code from text", "\\beval\\b|\\bFunction\\s*\\(|set(Timeout|Interval)\\(\\s*[\"'`]|\\bimport\\b"},
    {"foreign URL", "[a-z]+://|[\"'`]//|javascript:"},
    {"key kept elsewhere", "localStorage|cookie|indexedDB|\\bcaches\\b|location\\.|history\\."},
    {"inline style", "\\.style\\b|cssText|[\"'`]style[\"'`]"},
};

/// Constants of page.js: `const NAME = "text";`.
std::map<std::string, std::string> text_constants(const std::string& script) {
  const std::regex definition{R"re(const ([A-Z_]+) = "([^"]*)";)re"};
  std::map<std::string, std::string> constants;
  for (std::sregex_iterator at{script.begin(), script.end(), definition}, end; at != end; ++at) {
    constants[(*at)[1]] = (*at)[2];
  }
  return constants;
}

/// What page.js asks the server for. Throws when it can't be told.
std::set<std::string> fetched_paths(const std::string& script) {
  const auto constants = text_constants(script);
  std::set<std::string> paths;
  for (const auto& argument : all_matches(script, R"(\bfetch\(\s*([^,)]*))"))
    paths.insert(constants.at(argument));
  return paths;
}

/// The pointers of the table FIELDS of page.js, by name.
std::map<std::string, std::string> fields_of(const std::string& script) {
  const auto begin = script.find("const FIELDS = {");
  const auto end = script.find("};", begin);
  if (begin == std::string::npos || end == std::string::npos)
    throw std::runtime_error{"page.js has no FIELDS"};
  const auto table = script.substr(begin, end - begin);
  const std::regex entry{R"re(\n  ([a-z0-9_]+): "(/[^"]*)",)re"};
  std::map<std::string, std::string> fields;
  for (std::sregex_iterator at{table.begin(), table.end(), entry}, last; at != last; ++at) {
    if (!fields.emplace((*at)[1], (*at)[2]).second)
      throw std::runtime_error{"twice in FIELDS: " + (*at)[1].str()};
  }
  if (fields.size() + 1 != static_cast<std::size_t>(std::ranges::count(table, '\n')))
    throw std::runtime_error{"FIELDS has lines that are no entries"};
  return fields;
}

/// How often a pointer leads to a field, and how often it does not though what holds the field is there.
struct resolution {
  std::size_t found = 0;
  std::size_t missing = 0;
};

void resolve(const nlohmann::json& at, const std::string& pointer, resolution& result) {
  if (pointer.empty()) {
    ++result.found;
    return;
  }
  if (at.is_null()) return;  // an object that is not always there
  const auto slash = std::min(pointer.find('/', 1), pointer.size());
  const auto name = pointer.substr(1, slash - 1);
  const auto rest = pointer.substr(slash);
  if (name == "*") {
    if (!at.is_structured()) ++result.missing;
    for (const auto& entry : at) resolve(entry, rest, result);
  } else if (at.is_object() && at.contains(name)) {
    resolve(at[name], rest, result);
  } else {
    ++result.missing;
  }
}

resolution resolved(const nlohmann::json& document, const std::string& pointer) {
  resolution result;
  resolve(document, pointer, result);
  return result;
}

/// Answers that together have everything that is not always there: transitions and predictions in one, an
/// override, which makes predictions void, in the other.
nlohmann::json eventful_overviews() {
  const auto& one = server();
  const auto overview = [&] { return one.get("/api/overview").json(); };
  const auto tell_redis = [&](const char* mode) { one.post("/api/simulate/redis", {{"mode", mode}}); };
  const auto ended = [&] { return overview()["circuit_breakers"][2]["outages"]["ended"].get<int>(); };
  REQUIRE(eventually(10s, [&] { return one.shows(100, "OPTIMAL"); }));
  for (int before = ended(); before < 9; before = ended()) {
    tell_redis("down");
    REQUIRE(eventually(5s, [&] { return one.shows(85, "DEGRADED"); }));
    std::this_thread::sleep_for(200ms);  // long enough for the last one to be caught while it is shorter
    tell_redis("up");
    REQUIRE(eventually(5s, [&] { return ended() > before && one.shows(100, "OPTIMAL"); }));
  }
  nlohmann::json predicted;
  bool complete = false;
  // A slow machine may ask when this one has outlasted those before it, and nothing is predicted any more.
  for (int attempt = 0; attempt < 5 && !complete; ++attempt) {
    tell_redis("up");
    REQUIRE(eventually(5s, [&] { return one.shows(100, "OPTIMAL"); }));
    tell_redis("down");
    complete = eventually(1s, [&] {
      predicted = overview();
      return predicted["degradation"]["predicted_recovery_seconds"].is_object();
    });
  }
  CAPTURE(predicted.dump(2));
  CHECK(complete);
  one.post(
      "/api/degradation/override",
      {{"kind", "cap"}, {"level", "LIMITED"}, {"reason", "a test"}, {"actor", "the test"}, {"expiry", 60}});
  tell_redis("up");
  return {predicted, overview()};
}

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
  CHECK(found_in(source("page.css"), css_flaws) == none);
  CHECK(found_in(source("page.js"), script_flaws) == none);

  // And were there any, it would be seen.
  for (const auto& [planted, flaw] : std::vector<std::pair<std::string, std::string>>{
           {"<script>ask()</script>", "inline script"},
           {"<script src=\"/page.js\">ask()</script>", "inline script"},
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
    CHECK(found_in(source("page.css") + planted, css_flaws) == std::vector<std::string>{"foreign URL"});
  }
  for (const auto& [planted, flaw] : std::vector<std::pair<std::string, std::string>>{
           {"element.innerHTML = text;", "markup from text"},
           {"document.write(text);", "markup from text"},
           {"eval(text);", "code from text"},
           {"new Function(text);", "code from text"},
           {"setTimeout(\"ask()\", 1);", "code from text"},
           {"fetch(\"https://example.org\");", "foreign URL"},
           {"localStorage.setItem(KEPT_AS, key);", "key kept elsewhere"},
           {"element.style.color = text;", "inline style"}}) {
    INFO(planted);
    CHECK(found_in(source("page.js") + planted, script_flaws) == std::vector{flaw});
  }
}

TEST_CASE("everything that the HTML names is there, without a key", "[page]") {
  const auto named = all_matches(source("index.html"), R"re(\s(?:src|href|action)="([^"]*)")re");
  CHECK(named == std::set<std::string>{"/page.css", "/page.js", "/page.svg"});
  for (const auto& path : named) CHECK(server().get(path, {}).status == 200);
}

TEST_CASE("every element that the script looks for is in the HTML, once", "[page]") {
  const auto script = source("page.js");
  const auto html = source("index.html");
  auto wanted = all_matches(script, R"re(\b(?:byId|show|fillTable)\("([^"]*)")re");
  wanted.merge(all_matches(script, R"(\n  ([a-z]+): \[\n)"));  // the tables
  CHECK(wanted.size() > 20);
  for (const auto& id : wanted) {
    INFO(id);
    const std::string attribute = " id=\"" + id + "\"";
    const auto at = html.find(attribute);
    CHECK(at != std::string::npos);
    CHECK(html.find(attribute, at + 1) == std::string::npos);
  }
  // What screen readers are told to watch.
  CHECK(std::regex_search(html, std::regex{R"re(id="level"[^>]*role="status"[^>]*aria-live="polite")re"}));
  CHECK(std::regex_search(html, std::regex{R"re(id="banner"[^>]*role="alert")re"}));
  CHECK(std::regex_search(html, std::regex{R"re(<html lang="en">)re"}));
}

TEST_CASE("every path that the script fetches is there, with the key and not without", "[page]") {
  const auto paths = fetched_paths(source("page.js"));
  CHECK_FALSE(paths.empty());
  for (const auto& path : paths) {
    INFO(path);
    CHECK(server().get(path).status == 200);
    CHECK(server().get(path, {}).status == 401);
  }
  CHECK(fetched_paths("const THERE = \"/there\";\nfetch(THERE, {});") == std::set<std::string>{"/there"});
  CHECK_THROWS(fetched_paths("fetch(`/api/${name}`)"));  // what can't be checked is refused
}

TEST_CASE("every field that the script reads is in the server's answer", "[page]") {
  const auto script = source("page.js");
  const auto fields = fields_of(script);
  const auto documents = eventful_overviews();
  const std::string in_each = "/*";
  CAPTURE(documents.dump(2));
  CHECK(fields.size() > 40);
  for (const auto& [name, pointer] : fields) {
    CAPTURE(name, pointer);
    const auto seen = resolved(documents, in_each + pointer);
    CHECK(seen.found > 0);
    CHECK(seen.missing == 0);
  }
  CHECK(resolved(documents, "/*/degradation/components/*/no_such_field").missing == 8);
  CHECK(resolved(documents, "/*/no_such_field").missing == 2);

  // The table is all that it reads by.
  const auto used = all_matches(script, R"(\bFIELDS\.([a-z0-9_]+))");
  for (const auto& [name, pointer] : fields) {
    INFO(name);
    CHECK(used.contains(name));
  }
  for (const auto& name : used) {
    INFO(name);
    CHECK(fields.contains(name));
  }
  CHECK(all_matches(script, R"([^.\w](?:read|entries)\(([^()]*)\))").size() > 40);
  for (const auto& arguments : all_matches(script, R"([^.\w](?:read|entries)\(([^()]*)\))")) {
    INFO(arguments);
    CHECK(std::regex_match(arguments, std::regex{R"([a-z]+, (FIELDS\.[a-z0-9_]+|whole|p50|p90|pointer))"}));
  }
}
