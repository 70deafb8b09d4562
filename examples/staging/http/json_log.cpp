// SPDX-License-Identifier: BSL-1.0
#include "http/json_log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace staging {

namespace {

// ISO 8601, UTC, microseconds: 2025-10-19T06:22:43.158269Z
std::string timestamp() {
  const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const std::time_t whole = std::chrono::system_clock::to_time_t(second);
  std::tm utc{};
  gmtime_r(&whole, &utc);
  std::array<char, 80> text{};
  const int length = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                                   utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                                   utc.tm_sec, static_cast<int>((now - second).count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string dumped(const log_fields& value) {
  return value.dump(-1, ' ', false, log_fields::error_handler_t::replace);
}

// The fields are written one after another: putting them into one object first would copy them all.
std::string line_of(log_level level, std::string_view message, const log_fields& fields) {
  std::string line = R"({"time":")" + timestamp() + R"(","level":")";
  line += to_string(level);
  line += R"(","message":)" + dumped(message);
  bool has_request = false;
  if (fields.is_object()) {
    for (const auto& [key, value] : fields.items()) {
      if (key == "time" || key == "level" || key == "message") continue;
      has_request = has_request || key == "request_id";
      line += ',' + dumped(key) + ':' + dumped(value);
    }
  }
  // Whoever reads the log by request must not have to ask whether the field is there.
  line += has_request ? "}" : R"(,"request_id":null})";
  return line;
}

log_writer::writing to(std::shared_ptr<spdlog::sinks::sink> sink) {
  // The logger for its error handler: what the sink throws is told to standard error, once a second.
  auto logger = std::make_shared<spdlog::logger>("staging", std::move(sink));
  logger->set_pattern("%v");  // the line is JSON already: spdlog's own pattern would not escape
  return [logger](const std::vector<std::string>& lines, std::uint64_t dropped) {
    for (const auto& line : lines) logger->info(spdlog::string_view_t{line});
    if (dropped > 0) {
      logger->info(
          spdlog::string_view_t{line_of(log_level::warning, "log lines dropped", {{"count", dropped}})});
    }
    logger->flush();  // whoever reads a line of a service wants it now, not at the next 4 KiB
  };
}

}  // namespace

json_log::json_log() : json_log(std::make_shared<spdlog::sinks::stdout_sink_st>()) {}

json_log::json_log(std::shared_ptr<spdlog::sinks::sink> sink, std::size_t limit)
    : writer_(to(std::move(sink)), limit) {}

json_log::~json_log() = default;

void json_log::set_level(log_level level) {
  level_.store(level, std::memory_order_relaxed);
}

void json_log::write(log_level level, std::string_view message, const log_fields& fields) noexcept {
  if (level < level_.load(std::memory_order_relaxed)) return;
  try {
    writer_.add(line_of(level, message, fields));
  } catch (...) {
    try {
      writer_.add(R"({"level":"error","message":"a log line could not be written"})");
    } catch (...) {  // NOLINT(bugprone-empty-catch): there is nowhere left to say it
    }
  }
}

}  // namespace staging
