// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/log_level.hpp"

#include "http/json_text.hpp"
#include "http/log_writer.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace spdlog {
namespace sinks {
class sink;
}
}  // namespace spdlog

namespace staging {

/// What a log line says beside its message.
using log_fields = nlohmann::ordered_json;

/// Writes one JSON object a line: `{"time":…,"level":…,"message":…,` fields `}`; `request_id` is null in a
/// line that belongs to no request.
///
/// Lines are written on a thread of their own: a thread that logs never waits for a reader. When no one reads
/// fast enough, or a line can't be written, lines are dropped, and the log says how many as soon as it can be
/// written again.
///
/// Thread-safe, and never throws: what is not UTF-8 is replaced, control characters are escaped, and a line
/// that can't be built at all is replaced by one that says so.
class json_log {
 public:
  /// To standard output.
  json_log();

  /// To any sink; its pattern is set. At most `limit` lines wait for it.
  explicit json_log(std::shared_ptr<spdlog::sinks::sink> sink, std::size_t limit = log_writer::default_limit);

  /// Waits 200 ms for lines that are not written yet, then leaves them, and the sink, to their thread.
  ~json_log();
  json_log(const json_log&) = delete;
  json_log& operator=(const json_log&) = delete;

  /// Lines below `level` are dropped; default `info`.
  void set_level(log_level level);

  /// `fields` must be an object (or nothing); its own `time`, `level` and `message` are ignored.
  void write(log_level level, std::string_view message, const log_fields& fields = {}) noexcept;

  /// The same for what each request logs: `members` come with a `request_id`, and without the three above.
  void write(log_level level, std::string_view message, const json_text& members) noexcept;

  void debug(std::string_view message, const log_fields& fields = {}) noexcept {
    write(log_level::debug, message, fields);
  }
  void info(std::string_view message, const log_fields& fields = {}) noexcept {
    write(log_level::info, message, fields);
  }
  void warning(std::string_view message, const log_fields& fields = {}) noexcept {
    write(log_level::warning, message, fields);
  }
  void error(std::string_view message, const log_fields& fields = {}) noexcept {
    write(log_level::error, message, fields);
  }

  /// Whether everything logged so far has been written, `limit` being the longest to wait for it.
  [[nodiscard]] bool flush(std::chrono::milliseconds limit) const { return writer_.flush(limit); }

  /// Lines dropped since the start.
  [[nodiscard]] std::uint64_t dropped() const { return writer_.dropped(); }

 private:
  template <class Line>
  void write_line(log_level level, Line line) noexcept;

  // Written by `set_level`; relaxed: it publishes nothing but itself.
  std::atomic<log_level> level_{log_level::info};
  log_writer writer_;
};

}  // namespace staging
