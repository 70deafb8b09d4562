// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/support/process.hpp"

#include <string>
#include <string_view>

namespace staging_tests {

/// HAProxy with the configuration that the example ships, on free ports of loopback.
class proxy {
 public:
  /// Starts it in front of the staging server on port `a`, and the one on `b`, if any. Waits until the checks
  /// have found the servers ready. Throws `std::runtime_error` with its output when it does not start.
  explicit proxy(int a, int b = 0, variables environment = {});

  [[nodiscard]] int port() const noexcept { return http_; }
  [[nodiscard]] int https_port() const noexcept { return https_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(http_); }
  [[nodiscard]] bool running() { return process_.running(); }

  /// One figure of its statistics: `column` (`status`, `weight`, `stot`) of a server of the backend `api`.
  [[nodiscard]] std::string figure(std::string_view server, std::string_view column) const;

  /// The page of its own metrics.
  [[nodiscard]] std::string metrics() const;

  /// Gives a command to its socket.
  void command(const std::string& line) const;

 private:
  [[nodiscard]] std::string admin_page(const std::string& path) const;

  temporary_directory directory_;
  int http_;
  int https_;
  int admin_;
  process process_;
};

}  // namespace staging_tests
