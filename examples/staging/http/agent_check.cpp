// SPDX-License-Identifier: BSL-1.0
#include "http/agent_check.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace staging {

namespace {

int listen_on(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0)
    throw std::runtime_error("the host is unknown");
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> first{found, &freeaddrinfo};
  const int listener = socket(first->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      bind(listener, first->ai_addr, first->ai_addrlen) == 0 && listen(listener, 64) == 0)
    return listener;
  const int reason = errno;
  if (listener >= 0) close(listener);
  throw std::runtime_error(std::generic_category().message(reason));
}

std::uint16_t port_of(int listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

agent_check::agent_check(const std::string& host, std::uint16_t port, std::function<std::string()> line)
    : line_{std::move(line)}, listener_{listen_on(host, port)} {
  port_ = port_of(listener_);
  try {
    thread_ = std::thread{[this] { serve(); }};
  } catch (...) {
    close(listener_);
    throw;
  }
}

agent_check::~agent_check() {
  shutdown(listener_, SHUT_RDWR);  // ends the wait of `serve`
  thread_.join();
  close(listener_);
}

void agent_check::serve() {
  constexpr int a_moment_ms = 100;
  for (;;) {
    pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, -1) < 0 && errno != EINTR) return;
    if ((waiting.revents & POLLHUP) != 0) return;
    const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0) {
      // Without a descriptor to spare the connection stays, and so does POLLIN: ask again a little later.
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
        poll(nullptr, 0, a_moment_ms);
      continue;
    }
    const auto answer = line_() + "\n";
    // A new connection has room for one line.
    [[maybe_unused]] const auto sent = send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    close(peer);
  }
}

}  // namespace staging
