// SPDX-License-Identifier: BSL-1.0
#include "http/json_log.hpp"

#include "http/date.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace staging {

namespace {

std::string dumped(const log_fields& value) {
  return value.dump(-1, ' ', false, log_fields::error_handler_t::replace);
}

json_text head_of(log_level level, std::string_view message) {
  json_text head;
  head.member("time", iso_time(std::chrono::system_clock::now()));
  head.member("level", to_string(level));
  head.member("message", message);
  return head;
}

std::string line_of(log_level level, std::string_view message, const json_text& members) {
  return '{' + head_of(level, message).members() + ',' + members.members() + '}';
}

// The fields are written one after another: putting them into one object first would copy them all.
std::string line_of(log_level level, std::string_view message, const log_fields& fields) {
  std::string line = '{' + head_of(level, message).members();
  bool has_request = false;
  if (fields.is_object()) {
    for (const auto& [key, value] : fields.items()) {
      if (key == "time" || key == "level" || key == "message") continue;
      has_request = has_request || key == "request_id";
      line += ',' + dumped(key) + ':' + dumped(value);
    }
  }
  // A reader who selects lines by request must not have to ask whether the field is there.
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
    logger->flush();  // a reader wants a line now, not at the next 4 KiB
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
  write_line(level, [&] { return line_of(level, message, fields); });
}

void json_log::write(log_level level, std::string_view message, const json_text& members) noexcept {
  write_line(level, [&] { return line_of(level, message, members); });
}

template <class Line>
void json_log::write_line(log_level level, Line line) noexcept {
  if (level < level_.load(std::memory_order_relaxed)) return;
  try {
    writer_.add(line());
  } catch (...) {
    try {
      writer_.add(R"({"level":"error","message":"a log line could not be written"})");
    } catch (...) {  // NOLINT(bugprone-empty-catch): there is nowhere left to say it
    }
  }
}

}  // namespace staging
