// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace staging {

/// Answers the agent checks of HAProxy on a port of its own: each connection gets one line and is closed.
///
/// It has its own thread, so that an overload of the HTTP server does not silence it.
class agent_check {
 public:
  /// Opens the port, any free one for 0, and starts to answer. `line` is called for each connection, on the
  /// thread of this object, and must not throw. Throws `std::runtime_error` when the port can't be had.
  agent_check(const std::string& host, std::uint16_t port, std::function<std::string()> line);

  /// Stops answering.
  ~agent_check();
  agent_check(const agent_check&) = delete;
  agent_check& operator=(const agent_check&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  void serve();

  std::function<std::string()> line_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::thread thread_;
};

}  // namespace staging
