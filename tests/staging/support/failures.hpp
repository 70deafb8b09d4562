// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/support/process.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace staging_tests {

/// Does `once` again and again on a thread of its own, until the end of the thread object.
[[nodiscard]] inline std::jthread repeat(std::chrono::milliseconds pause, std::function<void()> once) {
  return std::jthread{[pause, once = std::move(once)](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      once();
      std::this_thread::sleep_for(pause);
    }
  }};
}

/// Opens more connections at once than a server may have that allows 100, each with a request that has begun.
inline void overrun(int port) {
  std::vector<int> sockets;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 600; ++i) {
    sockets.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    static_cast<void>(connect(sockets.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
    static_cast<void>(send(sockets.back(), "GET", 3, MSG_NOSIGNAL));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds{300});  // for the server to take them
  for (const int one : sockets) close(one);
}

/// How many descriptors a process may open from now on; returns the limit that it had.
inline rlim_t limit_descriptors(const process& of, rlim_t wanted) {
  rlimit before{};
  bool done = prlimit(of.id(), RLIMIT_NOFILE, nullptr, &before) == 0;
  const rlimit after{wanted, before.rlim_max};
  done = done && prlimit(of.id(), RLIMIT_NOFILE, &after, nullptr) == 0;
  if (!done) throw std::system_error{errno, std::generic_category(), "prlimit"};
  return before.rlim_cur;
}

[[nodiscard]] inline rlim_t open_descriptors(const process& of) {
  const std::filesystem::directory_iterator all{"/proc/" + std::to_string(of.id()) + "/fd"};
  return static_cast<rlim_t>(std::distance(begin(all), end(all)));
}

}  // namespace staging_tests
