// SPDX-License-Identifier: BSL-1.0
#include "http/router.hpp"

#include "catch2.hpp"
#include "http/api_key.hpp"
#include "http/request_id.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <stdexcept>

using namespace staging;

namespace {

route made(std::string method, std::string path) {
  return {.method = std::move(method),
          .path = path,
          .label = std::move(path),
          .who = access::keyed,
          .answer = [](const request&, response&) {}};
}

}  // namespace

TEST_CASE("a route is found by its path, segment by segment", "[staging][http]") {
  router routes;
  routes.add(made("GET", "/"));
  routes.add(made("GET", "/api/things"));
  routes.add(made("POST", "/api/things/{name}/open"));
  const auto found = [&](const char* method, const char* path) {
    return routes.find(method, path).found != nullptr;
  };

  CHECK(found("GET", "/"));
  CHECK(found("GET", "/api/things"));
  CHECK(found("HEAD", "/api/things"));
  CHECK(found("GET", "/%61pi/things"));
  for (const char* path :
       {"", "*", "//", "/api", "/api/", "/api/things/", "/api/thing", "/api/thingss", "/API/things",
        "/api%2Fthings", "/api/things%", "/api/things%0", "/api/./things", "/x/../api/things"}) {
    CAPTURE(path);
    CHECK_FALSE(found("GET", path));
  }

  const auto named = routes.find("POST", "/api/things/a%2Fb%00/open");
  REQUIRE(named.found != nullptr);
  REQUIRE(named.parameters.size() == 1);
  CHECK(named.parameters[0].first == "name");
  CHECK(named.parameters[0].second == std::string("a/b\0", 4));
  CHECK_FALSE(found("POST", "/api/things//open"));
  CHECK_FALSE(found("POST", "/api/things/a/b/open"));
}

TEST_CASE("a wrong method is told which are right", "[staging][http]") {
  router routes;
  routes.add(made("GET", "/a"));
  routes.add(made("POST", "/a"));
  const auto result = routes.find("DELETE", "/a");
  CHECK(result.found == nullptr);
  REQUIRE(result.other != nullptr);
  CHECK(result.allow == "GET, HEAD, POST");
  CHECK(routes.find("DELETE", "/b").other == nullptr);
}

TEST_CASE("a route that can't work is refused", "[staging][http]") {
  router routes;
  routes.add(made("GET", "/a"));
  CHECK_THROWS_WITH(routes.add(made("GET", "/a")), Catch::Matchers::StartsWith("route GET /a"));
  CHECK_THROWS_AS(routes.add(made("GET", "a")), std::invalid_argument);
  auto silent = made("GET", "/b");
  silent.answer = nullptr;
  CHECK_THROWS_AS(routes.add(silent), std::invalid_argument);
  auto nameless = made("GET", "/c");
  nameless.label.clear();
  CHECK_THROWS_AS(routes.add(nameless), std::invalid_argument);
}

TEST_CASE("an error is JSON, whatever bytes are in it", "[staging][http]") {
  const auto answer = to_response(bad_request("mode", "\"up\"\n or \xFF").answer(), "id-1");
  CHECK(answer.status == 400);
  const auto error = nlohmann::json::parse(answer.body).at("error");
  CHECK(error.at("code") == "invalid_request");
  CHECK(error.at("field") == "mode");
  CHECK(error.at("message") == "\"up\"\n or \xEF\xBF\xBD");
  CHECK(error.at("request_id") == "id-1");
}

TEST_CASE("a key is matched whole", "[staging][http]") {
  const api_key key{"correct-horse"};
  CHECK(key.matches("correct-horse"));
  for (const char* wrong : {"", "correct-hors", "correct-horse ", "correct-horsf", "Correct-horse"}) {
    CHECK_FALSE(key.matches(wrong));
  }
  CHECK_THROWS_AS(api_key{""}, std::invalid_argument);
}

TEST_CASE("request ids are well formed and never the same", "[staging][http]") {
  CHECK(is_request_id(std::string(64, 'a')));
  CHECK_FALSE(is_request_id(std::string(65, 'a')));
  for (const char* wrong : {"", "a b", "a/b", "a\"", "\xC3\xA4", "a\r\n"}) CHECK_FALSE(is_request_id(wrong));
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    const auto id = make_request_id();
    CHECK(id.size() == 32);
    CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
    seen.insert(id);
  }
  CHECK(seen.size() == 1'000);
}
