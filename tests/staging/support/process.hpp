// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace staging_tests {

/// Variables of a child's environment, over PATH and HOME, which it inherits.
using variables = std::map<std::string, std::string>;

/// A directory of its own, removed at the end.
class temporary_directory {
 public:
  temporary_directory();
  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// A child process whose output goes into files. Killed when this ends, if it still runs, and by the kernel
/// when the thread that made this ends, however it does: make it on a thread that outlives it.
class process {
 public:
  /// Starts `command`; throws `std::system_error` when that fails. A descriptor given as `output` becomes its
  /// standard output instead of the file.
  process(const std::vector<std::string>& command, const variables& environment, int output = -1);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  void signal(int number) const;

  /// Waits; the exit status (128 + n for signal n), or nothing when it still runs at the end of `limit`.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds limit);

  [[nodiscard]] bool running() { return !wait(std::chrono::milliseconds{0}); }
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  [[nodiscard]] pid_t id() const noexcept { return id_; }

 private:
  temporary_directory directory_;
  pid_t id_ = -1;
  std::optional<int> status_;
};

/// What a command that ended left behind.
struct finished {
  int status;
  std::string out;
  std::string err;
};

/// Runs a command to its end; throws `std::runtime_error` naming it when it takes longer than `limit`.
[[nodiscard]] finished run(const std::vector<std::string>& command, const variables& environment,
                           std::chrono::milliseconds limit);

}  // namespace staging_tests
