// SPDX-License-Identifier: BSL-1.0
#include "http/json_log.hpp"

#include "catch2.hpp"
#include "http_fixture.hpp"

#include <stdexcept>

using staging::json_log;
using staging::log_level;
using staging::testing::captured_lines;

namespace {

struct logged {
  std::shared_ptr<captured_lines> lines = std::make_shared<captured_lines>();
  json_log log{lines};

  nlohmann::json only() {
    const auto all = lines->lines();
    REQUIRE(all.size() == 1);
    REQUIRE(all[0].find('\n') == std::string::npos);
    return nlohmann::json::parse(all[0]);
  }
};

class failing_sink final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg&) override { throw std::runtime_error("disk full"); }
  void flush_() override { throw std::runtime_error("disk full"); }
};

}  // namespace

TEST_CASE("a log line is one JSON object with time, level, message and fields", "[staging][http]") {
  logged to;
  to.log.warning("it {} happens", {{"count", 3}, {"nested", {{"a", "b"}}}});
  const auto line = to.only();
  CHECK(line.at("level") == "warning");
  CHECK(line.at("message") == "it {} happens");
  CHECK(line.at("count") == 3);
  CHECK(line.at("nested").at("a") == "b");
  const auto time = line.at("time").get<std::string>();
  CHECK(time.size() == std::string{"2025-10-19T06:22:43.158269Z"}.size());
  CHECK(time[10] == 'T');
  CHECK(time[19] == '.');
  CHECK(time.back() == 'Z');
}

TEST_CASE("nothing that is logged can break out of its line or its string", "[staging][http]") {
  logged to;
  const std::string nasty =
      "quote \" backslash \\ newline \r\n tab \t escape \x1B[31m nul " + std::string(1, '\0') + " end";
  to.log.error(nasty, {{nasty, nasty}});
  const auto line = to.only();
  CHECK(line.at("message") == nasty);
  CHECK(line.at(nasty) == nasty);
  CHECK(to.lines->lines()[0].find('\x1B') == std::string::npos);
}

TEST_CASE("bytes that are not UTF-8 are replaced", "[staging][http]") {
  logged to;
  to.log.info("bad \xFF\xC3 bytes", {{"path", "/\xF0\x9F"}});
  CHECK(to.only().at("message") == "bad \xEF\xBF\xBD\xEF\xBF\xBD bytes");
}

TEST_CASE("fields never replace time, level or message", "[staging][http]") {
  logged to;
  to.log.info("true", {{"message", "false"}, {"level", "none"}, {"time", 0}, {"kept", 1}});
  const auto line = to.only();
  CHECK(line.at("message") == "true");
  CHECK(line.at("level") == "info");
  CHECK(line.at("time").is_string());
  CHECK(line.at("kept") == 1);
}

TEST_CASE("a line that belongs to no request has a request id all the same: null", "[staging][http]") {
  logged to;
  SECTION("without fields") {
    to.log.info("starting");
    CHECK(to.only().at("request_id").is_null());
  }
  SECTION("a given one is kept") {
    to.log.info("request", {{"request_id", "r-1"}});
    CHECK(to.only().at("request_id") == "r-1");
  }
}

TEST_CASE("lines below the level are dropped", "[staging][http]") {
  logged to;
  to.log.debug("too much detail");
  CHECK(to.lines->lines().empty());
  to.log.set_level(log_level::debug);
  to.log.debug("now wanted");
  CHECK(to.only().at("level") == "debug");
}

TEST_CASE("a log that can't be written stops nobody", "[staging][http]") {
  json_log log{std::make_shared<failing_sink>()};
  log.info("lost");
  log.info("not an object", "text");
  SUCCEED("nothing was thrown");
}
