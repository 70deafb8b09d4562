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

namespace staging {

namespace {

spdlog::level::level_enum to_spdlog(log_level level) noexcept {
  switch (level) {
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::info:
      return spdlog::level::info;
    case log_level::warning:
      return spdlog::level::warn;
    case log_level::error:
      break;
  }
  return spdlog::level::err;
}

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

}  // namespace

json_log::json_log() : json_log(std::make_shared<spdlog::sinks::stdout_sink_mt>()) {}

json_log::json_log(std::shared_ptr<spdlog::sinks::sink> sink)
    : logger_(std::make_shared<spdlog::logger>("staging", std::move(sink))) {
  logger_->set_pattern("%v");  // the line is JSON already: spdlog's own pattern would not escape
  logger_->flush_on(
      spdlog::level::trace);  // whoever reads a line of a service wants it now, not at the next 4 KiB
}

json_log::~json_log() = default;

void json_log::set_level(log_level level) {
  logger_->set_level(to_spdlog(level));
}

void json_log::write(log_level level, std::string_view message, const log_fields& fields) noexcept {
  const auto severity = to_spdlog(level);
  try {
    if (!logger_->should_log(severity)) return;
    log_fields line{{"time", timestamp()}, {"level", to_string(level)}, {"message", message}};
    if (fields.is_object()) {
      for (const auto& [key, value] : fields.items()) {
        if (!line.contains(key)) line[key] = value;
      }
    }
    // Whoever reads the log by request must not have to ask whether the field is there.
    if (!line.contains("request_id")) line["request_id"] = nullptr;
    logger_->log(severity,
                 spdlog::string_view_t{line.dump(-1, ' ', false, log_fields::error_handler_t::replace)});
  } catch (...) {
    try {
      logger_->log(severity,
                   spdlog::string_view_t{R"({"level":"error","message":"a log line could not be written"})"});
    } catch (...) {  // NOLINT(bugprone-empty-catch): there is nowhere left to say it
    }
  }
}

}  // namespace staging
