// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace staging {

/// Hands lines to a thread of its own that writes them, so that a log without a reader (a full pipe) blocks
/// that thread alone.
///
/// Bounded: while `limit` lines wait, further ones are dropped and counted. spdlog's asynchronous logger, as
/// old as distributions ship it, drops the oldest lines without a word and waits for its thread at the end.
/// Thread-safe.
class log_writer {
 public:
  /// Called on the thread, with the lines in order and how many were dropped after the last of them. Returns
  /// how many of the lines could not be written; they count as dropped, and it has to say so itself.
  using writing = std::function<std::uint64_t(const std::vector<std::string>& lines, std::uint64_t dropped)>;

  /// Seconds of a busy server, and about a megabyte.
  static constexpr std::size_t default_limit = 4096;

  /// Throws `std::system_error` when no thread can be had.
  explicit log_writer(writing write, std::size_t limit = default_limit);

  /// Waits 200 ms for what was added, then leaves the thread, and `write` with it, to themselves.
  ~log_writer();
  log_writer(const log_writer&) = delete;
  log_writer& operator=(const log_writer&) = delete;

  /// Never waits for a line to be written.
  void add(std::string line);

  /// Whether everything added so far has been written, `limit` being the longest to wait for it.
  [[nodiscard]] bool flush(std::chrono::milliseconds limit) const;

  /// Lines dropped since the start.
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  struct shared;
  static void run(const std::shared_ptr<shared>& state);

  std::shared_ptr<shared> shared_;  // with the thread, which may be left behind
  std::thread thread_;
};

}  // namespace staging
