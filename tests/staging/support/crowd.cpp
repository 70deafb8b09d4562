// SPDX-License-Identifier: BSL-1.0
#include "staging/support/crowd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace staging_tests {

namespace {

constexpr std::string_view status_line = "HTTP/1.1 ";
constexpr std::string_view length_header = "content-length: ";

}  // namespace

std::vector<int> crowd::member::statuses() const {
  std::vector<int> all;
  for (auto at = received.find(status_line); at != std::string::npos; at = received.find(status_line, at + 1))
    all.push_back(std::atoi(received.c_str() + at + status_line.size()));
  return all;
}

bool crowd::member::answered() const {
  const auto begin = received.rfind(status_line);
  const auto end = begin == std::string::npos ? begin : received.find("\r\n\r\n", begin);
  if (end == std::string::npos) return false;
  std::string head = received.substr(begin, end - begin);
  for (auto& symbol : head) symbol = static_cast<char>(std::tolower(static_cast<unsigned char>(symbol)));
  const auto length = head.find(length_header);
  const auto size = length == std::string::npos ? 0 : std::atoi(head.c_str() + length + length_header.size());
  return received.size() >= end + 4 + static_cast<std::size_t>(size);
}

crowd::crowd(int port, int receive_buffer) : port_{port}, receive_buffer_{receive_buffer} {
  // The usual limit is 1024 descriptors, which a process may raise.
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
}

crowd::~crowd() {
  for (const auto& each : members_) close(each.socket);
}

int crowd::connected(const char* from) const {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer_ != 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer_, sizeof receive_buffer_);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, from, &address.sin_addr);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  bool good = bind(socket, generic, sizeof address) == 0;
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  good = good && connect(socket, generic, sizeof address) == 0;
  if (good) return socket;
  close(socket);
  throw std::runtime_error{"no connection to port " + std::to_string(port_)};
}

void crowd::join(std::size_t count, const char* from) {
  for (std::size_t i = 0; i < count; ++i) members_.push_back({.socket = connected(from), .received = {}});
}

void crowd::send(std::size_t which, std::string_view bytes) {
  auto& to = members_[which];
  if (::send(to.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) !=
      static_cast<ssize_t>(bytes.size()))
    to.closed = true;
}

std::size_t crowd::reopen() {
  std::size_t count = 0;
  for (auto& each : members_) {
    if (!each.closed) continue;
    close(each.socket);
    each = {.socket = connected("127.0.0.1"), .received = {}};
    ++count;
  }
  return count;
}

void crowd::receive_some(const std::vector<std::size_t>& waiting) {
  std::vector<pollfd> polled;
  for (const auto i : waiting)
    polled.push_back({.fd = members_[i].closed ? -1 : members_[i].socket, .events = POLLIN, .revents = 0});
  if (poll(polled.data(), polled.size(), 10) <= 0) return;
  std::array<char, 16384> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): recv fills what is used
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (polled[i].revents == 0) continue;
    auto& one = members_[waiting[i]];
    const auto size = recv(one.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) one.received.append(buffer.data(), static_cast<std::size_t>(size));
    one.closed = size == 0 || (size < 0 && errno != EAGAIN);
    one.changed = true;
  }
}

int status_of(int port, const std::string& request, std::chrono::milliseconds* took, const char* from) {
  const auto began = std::chrono::steady_clock::now();
  crowd one{port};
  one.join(1, from);
  one.send(0, request);
  one.receive(std::chrono::seconds{5}, [](const auto& member) { return member.answered(); });
  if (took != nullptr)
    *took = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  const auto statuses = one.members()[0].statuses();
  return statuses.empty() ? 0 : statuses[0];
}

}  // namespace staging_tests
