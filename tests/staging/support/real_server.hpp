// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/support/process.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace staging_tests {

/// The stand-in can't run on this machine (an older Node): the one server that may be missing.
class stand_in_unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A real PostgreSQL, Redis, S3 or OpenAI-compatible server on loopback, by the scripts that the example
/// ships. It also ends when this process is killed.
class real_server {
 public:
  /// Starts it; throws `std::runtime_error` saying which server and why not, or `stand_in_unavailable`.
  real_server(std::string name, const std::filesystem::path& directory);
  ~real_server();
  real_server(const real_server&) = delete;
  real_server& operator=(const real_server&) = delete;

  /// What wires the staging server to it.
  [[nodiscard]] const variables& environment() const noexcept { return environment_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  void kill();     ///< SIGKILL to every process of it: connections are reset, then refused
  void freeze();   ///< SIGSTOP: connections hang
  void thaw();     ///< SIGCONT
  void restart();  ///< after `kill`; same port, same data; returns when it answers

 private:
  [[nodiscard]] finished script(const std::vector<std::string>& arguments) const;
  void signal_all(int number) const;

  std::string name_;
  std::filesystem::path directory_;
  variables environment_;
};

}  // namespace staging_tests
