// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <set>
#include <stdexcept>

namespace staging_tests {

/// A port that is free now.
[[nodiscard]] inline int port_of_the_kernel() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(socket);
  if (!bound) throw std::runtime_error{"no free port"};
  return ntohs(address.sin_port);
}

/// A port that was free a moment ago, and another one each time: the kernel may name one twice. Whoever
/// starts on it must check that it got it.
[[nodiscard]] inline int free_port() {
  static std::mutex guard;
  static std::set<int> given;
  const std::lock_guard lock{guard};
  for (;;) {
    const int port = port_of_the_kernel();
    if (given.insert(port).second) return port;
  }
}

}  // namespace staging_tests
