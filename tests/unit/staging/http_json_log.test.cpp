// SPDX-License-Identifier: BSL-1.0
#include "http/json_log.hpp"

#include "catch2.hpp"
#include "http_fixture.hpp"

#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <vector>

using staging::json_log;
using staging::log_level;
using namespace staging::testing;

namespace {

struct logged {
  std::shared_ptr<captured_lines> lines = std::make_shared<captured_lines>();
  json_log log{lines};

  nlohmann::json only() {
    REQUIRE(log.flush(patience));
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

class full_disk final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::atomic<bool> is_full{false};
  [[nodiscard]] std::vector<nlohmann::json> written() {
    const std::scoped_lock lock{mutex_};
    return lines_;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (is_full) throw std::runtime_error("disk full");
    lines_.push_back(nlohmann::json::parse(message.payload.begin(), message.payload.end()));
  }
  void flush_() override {}

  std::vector<nlohmann::json> lines_;
};

brownout::time_point now() {
  return brownout::monotonic_clock{}.now();
}

/// What a pipe is that nobody reads: whoever writes waits until `release`, or twice as long as a test has
/// patience.
class blocking_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void release() { released_.set_value(); }
  [[nodiscard]] bool is_written_to() { return writing_; }
  [[nodiscard]] std::vector<nlohmann::json> lines() {
    const std::scoped_lock lock{mutex_};
    return lines_;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    writing_ = true;
    waited_for_.wait_until(latest_);
    lines_.push_back(nlohmann::json::parse(message.payload.begin(), message.payload.end()));
  }
  void flush_() override {}

  std::promise<void> released_;
  std::shared_future<void> waited_for_{released_.get_future()};
  const brownout::time_point latest_ = now() + 2 * patience;
  std::atomic<bool> writing_{false};
  std::vector<nlohmann::json> lines_;
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
  REQUIRE(to.log.flush(patience));
  CHECK(to.lines->lines().empty());
  to.log.set_level(log_level::debug);
  to.log.debug("now wanted");
  CHECK(to.only().at("level") == "debug");
}

TEST_CASE("a log that can't be written stops nobody", "[staging][http]") {
  json_log log{std::make_shared<failing_sink>()};
  log.info("lost");
  log.info("not an object", "text");
  CHECK(log.flush(patience));
  SUCCEED("nothing was thrown");
}

TEST_CASE("lines that can't be written are counted, and owned up to in their place", "[staging][http]") {
  const auto disk = std::make_shared<full_disk>();
  json_log log{disk};
  const auto say = [&](const char* text) {
    log.info(text);
    REQUIRE(log.flush(patience));
  };
  say("first");
  disk->is_full = true;
  say("lost");
  say("lost");
  CHECK(log.dropped() == 2);
  disk->is_full = false;
  say("second");
  say("third");
  CHECK(log.dropped() == 2);
  const auto lines = disk->written();
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].at("message") == "first");
  CHECK(lines[1].at("message") == "log lines dropped");
  CHECK(lines[1].at("count") == 2);
  CHECK(lines[2].at("message") == "second");
  CHECK(lines[3].at("message") == "third");
}

TEST_CASE("whoever logs never waits for whoever reads, and nothing is lost that fits", "[staging][http]") {
  const auto unread = std::make_shared<blocking_sink>();
  json_log log{unread};
  const auto started = now();
  for (int i = 0; i < 1'000; ++i) log.info("line", {{"number", i}});
  CHECK(now() - started < patience);
  CHECK_FALSE(log.flush(1ms));

  unread->release();
  REQUIRE(log.flush(patience));
  CHECK(log.dropped() == 0);
  const auto lines = unread->lines();
  REQUIRE(lines.size() == 1'000);
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK(lines[i].at("number") == i);
}

TEST_CASE("lines that find the queue full are dropped, counted, and owned up to in their place",
          "[staging][http]") {
  const auto unread = std::make_shared<blocking_sink>();
  json_log log{unread, 3};
  log.set_level(log_level::error);
  log.error("written");
  REQUIRE(eventually([&] { return unread->is_written_to(); }));
  for (const auto* text : {"first", "second", "third", "lost", "lost"}) log.error(text);
  CHECK(log.dropped() == 2);

  unread->release();
  REQUIRE(log.flush(patience));
  log.error("after");
  REQUIRE(log.flush(patience));
  const auto lines = unread->lines();
  REQUIRE(lines.size() == 6);
  CHECK(lines[0].at("message") == "written");
  CHECK(lines[3].at("message") == "third");
  CHECK(lines[4].at("message") == "log lines dropped");
  CHECK(lines[4].at("level") == "warning");
  CHECK(lines[4].at("count") == 2);
  CHECK(lines[4].at("request_id").is_null());
  CHECK(lines[5].at("message") == "after");
  CHECK(log.dropped() == 2);
}

TEST_CASE("a log ends although nobody reads it, and leaves the sink to its thread", "[staging][http]") {
  const auto unread = std::make_shared<blocking_sink>();
  const auto started = now();
  {
    json_log log{unread};
    log.info("never read");
  }
  CHECK(now() - started < patience);
  CHECK(unread.use_count() > 1);

  unread->release();
  CHECK(eventually([&] { return unread.use_count() == 1; }));
  CHECK(unread->lines().size() == 1);
}

TEST_CASE("what was logged before the end is written before the end", "[staging][http]") {
  const auto lines = std::make_shared<captured_lines>();
  {
    json_log log{lines};
    for (int i = 0; i < 1'000; ++i) log.info("line");
  }
  CHECK(lines->lines().size() == 1'000);
}
