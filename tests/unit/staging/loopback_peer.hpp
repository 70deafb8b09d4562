// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

/// The other end of a connection on loopback, played by a script: how a real server never behaves on demand.
class loopback_peer {
 public:
  /// One accepted connection, as the script sees it.
  class connection {
   public:
    connection(int socket, int number) : socket_(socket), number_(number) {}

    /// Counted from 0 in the order they were accepted.
    [[nodiscard]] int number() const noexcept { return number_; }

    /// What the client sends next, at least one byte; empty when it has closed.
    [[nodiscard]] std::string read() const {
      std::array<char, 65536> bytes{};
      const auto size = ::recv(socket_, bytes.data(), bytes.size(), 0);
      return size > 0 ? std::string(bytes.data(), static_cast<std::size_t>(size)) : std::string{};
    }

    void write(std::string_view bytes) const {
      while (!bytes.empty()) {
        const auto size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (size <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(size));
      }
    }

   private:
    int socket_;
    int number_;
  };

  using script = std::function<void(const connection&)>;

  /// Runs the script for one connection after the other and closes each when it returns. Without one nobody
  /// ever accepts: clients connect, and are not answered.
  explicit loopback_peer(script play = {}) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, generic, &size) != 0)
      throw std::runtime_error("no loopback socket");
    port_ = ntohs(address.sin_port);
    if (play) player_ = std::jthread{[this, play = std::move(play)] { serve(play); }};
  }

  ~loopback_peer() {
    {
      const std::scoped_lock lock{mutex_};
      over_ = true;
      if (served_ >= 0) ::shutdown(served_, SHUT_RDWR);
    }
    ::shutdown(listener_, SHUT_RDWR);  // makes accept return
    if (player_.joinable()) player_.join();
    ::close(listener_);
  }
  loopback_peer(const loopback_peer&) = delete;
  loopback_peer& operator=(const loopback_peer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int accepted() const noexcept { return accepted_; }

 private:
  void serve(const script& play) {
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      {
        const std::scoped_lock lock{mutex_};
        served_ = socket;
        if (over_) ::shutdown(socket, SHUT_RDWR);
      }
      play(connection{socket, accepted_++});
      const std::scoped_lock lock{mutex_};
      served_ = -1;
      ::close(socket);
    }
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::mutex mutex_;  // guards the two below
  int served_ = -1;
  bool over_ = false;
  std::jthread player_;
};
