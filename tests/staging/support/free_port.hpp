// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>
#include <random>
#include <set>
#include <stdexcept>

namespace staging_tests {

/// Whether a server could listen on this port now.
[[nodiscard]] inline bool is_free(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool bound = bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(socket);
  return bound;
}

/// A port that was free a moment ago, and another one each time. The process that starts on it must check
/// that it got it.
///
/// It lies below the ports that Linux gives to outgoing connections (32768 to 60999). A port of those could
/// be taken by any client on this machine before a server listens on it, also while that server restarts. It
/// also lies below the ports that the scripts of the real servers choose (from 20000 on).
[[nodiscard]] inline int free_port() {
  static std::mutex guard;
  static std::set<int> given;
  static std::mt19937 random{std::random_device{}()};
  const std::lock_guard lock{guard};
  for (int tries = 0; tries < 10'000; ++tries) {
    const int port = std::uniform_int_distribution{16'384, 19'999}(random);
    if (is_free(port) && given.insert(port).second) return port;
  }
  throw std::runtime_error{"no free port from 16384 to 19999"};
}

}  // namespace staging_tests
