// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/generator.hpp"
#include "staging/resources.hpp"
#include "staging/support/process.hpp"
#include "staging/support/staging_server.hpp"

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace staging_load {

/// A `GET` with the key, to be kept alive.
[[nodiscard]] std::string request_for(const std::string& path);

/// The example server as it ships: simulated dependencies, and the rate limit on, but too high to refuse. It
/// writes its log into a file without a name.
class example_server {
 public:
  example_server();
  ~example_server();
  example_server(const example_server&) = delete;
  example_server& operator=(const example_server&) = delete;

  [[nodiscard]] int port() const noexcept { return server_.port(); }
  [[nodiscard]] int agent_port() const noexcept { return agent_port_; }
  [[nodiscard]] pid_t id() noexcept { return server_.child().id(); }
  [[nodiscard]] const staging_tests::staging_server& asked() const noexcept { return server_; }

  /// Empties the log, so that a million lines do not fill the disk.
  void forget_log() const;

 private:
  int log_;
  int agent_port_;
  staging_tests::staging_server server_;
};

/// cpp-httplib with the bytes that `like` answers to `/health`.
class bare_server {
 public:
  /// As many as it has threads; a further one would wait for ever.
  static constexpr std::size_t connections = 60;

  explicit bare_server(const example_server& like);

  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] pid_t id() const noexcept { return process_.id(); }

 private:
  int port_;
  staging_tests::temporary_directory directory_;
  std::filesystem::path answer_;
  staging_tests::process process_;
};

}  // namespace staging_load
