// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "target.hpp"

#include "http/json_log.hpp"

#include <spdlog/sinks/base_sink.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

/// Reads one JSON object strictly: the whole text, in one line, no name twice.
[[nodiscard]] inline nlohmann::json parsed_object(std::string_view text, const char* what) {
  using nlohmann::json;
  require(text.find_first_of("\r\n") == std::string_view::npos, "{} is not one line: {}", what, shown(text));
  std::vector<std::set<std::string>> names;
  const auto watch = [&](int, json::parse_event_t event, const json& value) {
    if (event == json::parse_event_t::object_start) names.emplace_back();
    if (event == json::parse_event_t::object_end) names.pop_back();
    if (event == json::parse_event_t::key)
      require(names.back().insert(value.get<std::string>()).second, "{} has a name twice: {}", what,
              shown(text));
    return true;
  };
  try {
    auto read = json::parse(text, watch);
    require(read.is_object(), "{} is no object: {}", what, shown(text));
    return read;
  } catch (const json::exception& wrong) {
    throw failed_check{fmt::format("{} is not JSON: {}: {}", what, wrong.what(), shown(text))};
  }
}

/// A log whose lines are kept.
class captured_log {
 public:
  captured_log() : log_{std::make_unique<staging::json_log>(sink_)} {}

  [[nodiscard]] staging::json_log& log() { return *log_; }

  /// Ends the log, which writes at once what would otherwise wait 5 ms, and returns its lines.
  [[nodiscard]] std::vector<std::string> end() {
    log_.reset();
    return sink_->take();
  }

 private:
  class kept_lines final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::vector<std::string> take() {
      const std::scoped_lock lock{mutex_};
      return std::exchange(lines_, {});
    }

   private:
    void sink_it_(const spdlog::details::log_msg& message) override {
      lines_.emplace_back(message.payload.data(), message.payload.size());
    }
    void flush_() override {}

    std::vector<std::string> lines_;
  };

  std::shared_ptr<kept_lines> sink_ = std::make_shared<kept_lines>();
  std::unique_ptr<staging::json_log> log_;
};

}  // namespace fuzz
