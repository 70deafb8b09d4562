// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace staging_tests {

/// A port on loopback that takes connections and never answers. At the end they are reset.
class silent_listener {
 public:
  silent_listener() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool listens = bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                         listen(socket_, 64) == 0 &&
                         getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    port_ = ntohs(address.sin_port);
    if (listens) return;
    close(socket_);
    throw std::runtime_error{"no port for a silent listener"};
  }
  ~silent_listener() { close(socket_); }
  silent_listener(const silent_listener&) = delete;
  silent_listener& operator=(const silent_listener&) = delete;

  [[nodiscard]] int port() const noexcept { return port_; }

 private:
  int socket_;
  int port_ = 0;
};

}  // namespace staging_tests
