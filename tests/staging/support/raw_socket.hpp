// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace staging_tests {

/// A connection to loopback that says exactly what it is told to.
class raw_socket {
 public:
  /// Throws `std::runtime_error` when nobody listens.
  explicit raw_socket(int port) : descriptor_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
    ::close(std::exchange(descriptor_, -1));
    throw std::runtime_error{"cannot connect"};
  }
  ~raw_socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  raw_socket(raw_socket&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  raw_socket& operator=(raw_socket&&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  /// Whether the bytes were taken; few enough always are, while the connection lasts.
  bool send(std::string_view bytes) const {
    return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }

  /// Adds what has arrived; false at the end of the connection.
  bool receive(std::string& to) const {
    std::array<char, 16'384> buffer{};
    const auto size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (size > 0) to.append(buffer.data(), static_cast<std::size_t>(size));
    return size > 0;
  }

  /// Everything until the connection ends, or what has come when `limit` is over.
  [[nodiscard]] std::string receive_all(std::chrono::milliseconds limit) const {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::string all;
    pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
    for (;;) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return all;
      if (!receive(all)) return all;
    }
  }

 private:
  int descriptor_;
};

}  // namespace staging_tests
