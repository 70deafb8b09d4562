// SPDX-License-Identifier: BSL-1.0
#include "http/json_log.hpp"

#include "http/date.hpp"

#include <spdlog/details/log_msg.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <chrono>
#include <cstdio>
#include <stdexcept>
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

/// Standard output. spdlog's own sink does not tell when a line could not be written, on a full disk for
/// example.
class standard_output final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  // Without a buffer a line that could not be written is gone, and not written with a later one.
  standard_output() { std::setvbuf(stdout, nullptr, _IONBF, 0); }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    if (is_torn_) text.push_back('\n');  // the rest of an earlier line must not spoil this one
    formatter_->format(message, text);
    const auto written = std::fwrite(text.data(), 1, text.size(), stdout);
    if (written > 0) is_torn_ = written < text.size();
    if (written == text.size()) return;
    std::clearerr(stdout);
    throw std::runtime_error{"standard output takes no more"};
  }
  void flush_() override {}

  bool is_torn_ = false;
};

bool is_written(spdlog::sinks::sink& sink, std::string_view line) {
  try {
    sink.log({"staging", spdlog::level::info, spdlog::string_view_t{line}});
    sink.flush();  // a reader wants a line now, not at the next 4 KiB
    return true;
  } catch (...) {  // the caller counts it
    return false;
  }
}

log_writer::writing to(std::shared_ptr<spdlog::sinks::sink> sink) {
  sink->set_pattern("%v");  // the line is JSON already: spdlog's own pattern would not escape
  return [sink = std::move(sink), missing = std::uint64_t{0}](const std::vector<std::string>& lines,
                                                              std::uint64_t dropped) mutable {
    const auto own_up = [&] {
      if (missing == 0) return;
      if (is_written(*sink, line_of(log_level::warning, "log lines dropped", {{"count", missing}})))
        missing = 0;
    };
    std::uint64_t lost = 0;
    for (const auto& line : lines) {
      own_up();
      if (missing == 0 && is_written(*sink, line)) continue;
      ++missing;
      ++lost;
    }
    missing += dropped;
    own_up();
    return lost;
  };
}

}  // namespace

json_log::json_log() : json_log(std::make_shared<standard_output>()) {}

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
