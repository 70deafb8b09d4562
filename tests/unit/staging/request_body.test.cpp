// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "routes/body.hpp"

#include <string>
#include <string_view>

using staging::body;
using staging::error_answer;
using staging::http_error;
using staging::request;

namespace {

request with_body(std::string text) {
  request made;
  made.body = std::move(text);
  return made;
}

/// Reads `text` as an override's route does.
void read_override(const std::string& text) {
  const body fields{with_body(text), {"level", "reason", "actor", "expiry"}};
  static_cast<void>(fields.text("level", 16));
  static_cast<void>(fields.text("reason", 256));
  static_cast<void>(fields.text("actor", 64));
  static_cast<void>(fields.number("expiry", 0.001, 86'400));
}

error_answer refusal(const std::string& text) {
  try {
    read_override(text);
  } catch (const http_error& refused) {
    return refused.answer();
  }
  return {.status = 0, .code = {}, .message = "taken", .field = "taken", .headers = {}};
}

std::string an_override(std::string_view reason, std::string_view actor, std::string_view expiry) {
  return R"({"level":"LIMITED","reason":)" + std::string{reason} + R"(,"actor":)" + std::string{actor} +
         R"(,"expiry":)" + std::string{expiry} + "}";
}

bool says(const error_answer& refused, std::string_view what) {
  return refused.message.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a body that is as it should be is read", "[staging][routes]") {
  CHECK_NOTHROW(read_override(an_override("\"maintenance\"", "\"ops\"", "60")));
  CHECK_NOTHROW(read_override(an_override("\"K\u00fchlung f\u00e4llt aus\"", "\"J\u00f6rg\"", "86400")));
  CHECK_NOTHROW(read_override(an_override('"' + std::string(256, 'r') + '"', "\"a\"", "0.001")));
}

TEST_CASE("a body that is not there is called missing, and what belongs into it is said",
          "[staging][routes]") {
  const auto refused = refusal("");
  CHECK(refused.status == 400);
  CHECK(refused.field == "body");
  CHECK(
      refused.message ==
      "The body is missing; it must be a JSON object, and these are allowed: level, reason, actor, expiry.");
}

TEST_CASE("a text that says nothing, or more than text, is refused by its field", "[staging][routes]") {
  for (const auto* text :
       {R"("")", R"("   ")", R"("\t\n")", R"("two\nlines")", R"("nul\u0000")", R"("escape \u001b[31m")",
        R"("del \u007f")", R"("next line \u0085")", "7", "null"}) {
    CAPTURE(text);
    CHECK(refusal(an_override(text, "\"ops\"", "60")).field == "reason");
    CHECK(refusal(an_override("\"why\"", text, "60")).field == "actor");
  }
  const auto too_long = refusal(an_override("\"why\"", '"' + std::string(65, 'a') + '"', "60"));
  CHECK(too_long.status == 400);
  CHECK(too_long.field == "actor");
  CHECK(says(too_long, "64"));
}

TEST_CASE("a number out of range is refused with its field, its value and what is allowed",
          "[staging][routes]") {
  for (const auto* number :
       {"0", "-1", "0.0009", "86400.5", "9223372036854775807", "1e300", "-1e300", "\"60\"", "null", "true"}) {
    CAPTURE(number);
    const auto refused = refusal(an_override("\"why\"", "\"ops\"", number));
    CAPTURE(refused.message);
    CHECK(refused.status == 400);
    CHECK(refused.field == "expiry");
    CHECK(says(refused, "0.001 to 86400"));
  }
  CHECK(says(refusal(an_override("\"why\"", "\"ops\"", "86400.5")), "86400.5"));
  for (const std::string bracket : {"[", "{\"a\":"}) {
    std::string nested;
    for (int i = 0; i < 30'000; ++i) nested += bracket;
    nested += '1' + std::string(30'000, bracket == "[" ? ']' : '}');
    CHECK(refusal(an_override("\"why\"", "\"ops\"", nested)).field == "expiry");
    CHECK(refusal(an_override(nested, "\"ops\"", "60")).field == "reason");
  }
  // A text may hold anything, and be as long as the body.
  const auto odd = refusal(an_override("\"why\"", "\"ops\"", '"' + std::string(10'000, '\x7f') + '"'));
  CHECK(odd.field == "expiry");
  CHECK(odd.message.size() < 200);
  CHECK_FALSE(says(odd, "\x7f"));
}

TEST_CASE("a body that can't be read is refused for its true cause", "[staging][routes]") {
  SECTION("a number beyond every number") {
    const auto refused = refusal(an_override("\"why\"", "\"ops\"", "1e400"));
    CHECK(refused.status == 400);
    CHECK(refused.field == "expiry");
    CHECK(says(refused, "too large"));
  }
  SECTION("bytes that are not UTF-8") {
    const auto refused = refusal(an_override("\"wh\xff\"", "\"ops\"", "60"));
    CHECK(refused.status == 400);
    CHECK(refused.field == "body");
    CHECK(says(refused, "UTF-8"));
    CHECK_FALSE(says(refused, "\xff"));
  }
  SECTION("no JSON") {
    for (const auto* text : {"{", "level=LIMITED", R"({"level":"LIMITED",})", R"({"level":"a"}{})"}) {
      CAPTURE(text);
      const auto refused = refusal(text);
      CHECK(refused.field == "body");
      CHECK(says(refused, "not JSON"));
    }
  }
  SECTION("JSON, but no object") {
    for (const auto* text : {"[]", "7", "null", R"(["level","LIMITED"])"}) {
      CAPTURE(text);
      const auto refused = refusal(text);
      CHECK(refused.field == "body");
      CHECK(says(refused, "must be a JSON object"));
    }
  }
}

TEST_CASE("a field given twice is refused: which one is meant?", "[staging][routes]") {
  const auto refused =
      refusal(R"({"level":"LIMITED","level":"OPTIMAL","reason":"why","actor":"ops","expiry":60})");
  CHECK(refused.status == 400);
  CHECK(refused.field == "level");
  CHECK(says(refused, "twice"));
}

TEST_CASE("an unknown field is refused by its name", "[staging][routes]") {
  const auto refused = refusal(R"({"levle":"LIMITED","reason":"why","actor":"ops","expiry":60})");
  CHECK(refused.field == "levle");
  CHECK(says(refused, "level, reason, actor, expiry"));
}
