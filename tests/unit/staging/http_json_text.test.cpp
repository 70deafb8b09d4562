// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "http/json_text.hpp"

#include <nlohmann/json.hpp>

#include <limits>
#include <optional>
#include <string>
#include <string_view>

using staging::json_text;
using document = nlohmann::ordered_json;

namespace {

template <class T>
std::string written(const T& value) {
  json_text text;
  text.member("a", value);
  return text.object();
}

template <class T>
std::string dumped(const T& value) {
  return document{{"a", value}}.dump(-1, ' ', false, document::error_handler_t::replace);
}

}  // namespace

TEST_CASE("numbers are written as the JSON library writes them", "[staging][http]") {
  for (const double value :
       {0.0, -0.0, 1.0, 100.0, 0.05, 1.383, 1e5, 123456789.0, 1e-4, 1e-5, 0.1 + 0.2, 1e300,
        std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    CHECK(written(value) == dumped(value));
  CHECK(written(503) == dumped(503));
  CHECK(written(-1L) == dumped(-1L));
}

TEST_CASE("text is escaped, and replaced where it is not UTF-8", "[staging][http]") {
  for (const std::string_view value : {"", "closed", "a \"b\" \\ c", "line\nbreak\ttab", "\x7f", "\x01",
                                       "gr\xc3\xbc\xc3\x9f", "not \xff UTF-8"})
    CHECK(written(value) == dumped(value));
}

TEST_CASE("what is not there is null", "[staging][http]") {
  CHECK(written(nullptr) == R"({"a":null})");
  CHECK(written(std::optional<double>{}) == R"({"a":null})");
  CHECK(written(std::optional{1.5}) == R"({"a":1.5})");
}

TEST_CASE("members and objects within objects are separated by commas", "[staging][http]") {
  json_text text;
  CHECK(text.object() == "{}");
  text.member("a", true);
  text.begin("b");
  text.begin("c");
  text.end();
  text.member("d", "e");
  text.end();
  text.member("f", false);
  CHECK(text.object() == R"({"a":true,"b":{"c":{},"d":"e"},"f":false})");
  CHECK(text.members() == R"("a":true,"b":{"c":{},"d":"e"},"f":false)");
}
