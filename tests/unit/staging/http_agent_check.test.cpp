// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "http/agent_check.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>

namespace {

/// A connection to the port on loopback, as HAProxy makes it; -1 when it is refused.
int connected(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
  close(socket);
  return -1;
}

/// What the other side writes until it closes.
std::string read_all(int socket) {
  std::string all;
  std::array<char, 64> buffer{};
  for (;;) {
    const auto received = recv(socket, buffer.data(), buffer.size(), 0);
    if (received <= 0) break;
    all.append(buffer.data(), static_cast<std::size_t>(received));
  }
  close(socket);
  return all;
}

}  // namespace

TEST_CASE("an agent check is answered with one line of the moment, and closed", "[staging][http]") {
  std::atomic<int> weight = 100;
  const staging::agent_check agent{"127.0.0.1", 0, [&] { return std::to_string(weight) + "%"; }};
  CHECK(read_all(connected(agent.port())) == "100%\n");
  weight = 25;
  CHECK(read_all(connected(agent.port())) == "25%\n");
}

TEST_CASE("an agent check is answered beside connections that never read or end", "[staging][http]") {
  const staging::agent_check agent{"127.0.0.1", 0, [] { return "75%"; }};
  std::array<int, 100> silent{};
  for (auto& each : silent) each = connected(agent.port());
  CHECK(read_all(connected(agent.port())) == "75%\n");
  for (const int each : silent) close(each);
}

TEST_CASE("an agent port that is taken or on an unknown host is refused with the reason", "[staging][http]") {
  const staging::agent_check first{"127.0.0.1", 0, [] { return "100%"; }};
  CHECK_THROWS_WITH((staging::agent_check{"127.0.0.1", first.port(), [] { return ""; }}),
                    "Address already in use");
  CHECK_THROWS_WITH((staging::agent_check{"300.1.1.1", 0, [] { return ""; }}), "the host is unknown");
}

TEST_CASE("an agent check that has ended refuses connections", "[staging][http]") {
  std::uint16_t port = 0;
  {
    const staging::agent_check agent{"localhost", 0, [] { return "100%"; }};
    port = agent.port();
  }
  CHECK(connected(port) == -1);
}
