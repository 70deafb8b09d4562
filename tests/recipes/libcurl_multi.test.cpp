// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "recipes/recipe.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace recipe_tests;

namespace {

/// Answers each connection by the path that it asks for, and counts connections.
class small_server {
 public:
  small_server() : listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 64) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    serving_ = std::jthread{[this](const std::stop_token& stop) { serve(stop); }};
  }
  ~small_server() {
    serving_.request_stop();
    serving_.join();
    for (const int hung : hanging_) ::close(hung);
    ::close(listener_);
  }
  small_server(const small_server&) = delete;
  small_server& operator=(const small_server&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int connections() const noexcept { return connections_; }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      ++connections_;
      answer(client);
    }
  }

  void answer(int client) {
    std::array<char, 4096> buffer{};
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      const auto size = ::recv(client, buffer.data(), buffer.size(), 0);
      if (size <= 0) break;
      head.append(buffer.data(), static_cast<std::size_t>(size));
    }
    const auto asked = [&](const char* path) { return head.starts_with(std::string{"GET "} + path + " "); };
    if (asked("/hang")) {
      hanging_.push_back(client);
      return;
    }
    std::string answer = "HTTP/1.1 200 OK\r\n";
    if (asked("/missing")) answer = "HTTP/1.1 404 Not Found\r\n";
    if (asked("/wrong")) answer = "HTTP/1.1 400 Bad Request\r\n";
    if (asked("/busy")) answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 40\r\n";
    if (asked("/half")) {
      answer += "Content-Length: 100\r\n\r\nabc";
    } else if (asked("/reset")) {
      const linger reset{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      answer.clear();
    } else {
      answer += "Content-Length: 2\r\nConnection: close\r\n\r\nok";
    }
    static_cast<void>(::send(client, answer.data(), answer.size(), MSG_NOSIGNAL));
    ::close(client);
  }

  int listener_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::vector<int> hanging_;
  std::jthread serving_;
};

}  // namespace

TEST_CASE("libcurl: answers, errors of the caller and failures are told apart", "[libcurl]") {
  small_server server;
  recipe client{{RECIPE, server.url(), ample}, {}};
  auto all = client.ask("/;/missing;/wrong");
  CAPTURE(all);
  CHECK(count_of(all, "/: success (HTTP 200), counted") == 1);
  CHECK(count_of(all, "/missing: success (HTTP 404), counted") == 1);
  CHECK(count_of(all, "/wrong: ignored (HTTP 400), released") == 1);
  CHECK(client.ask("/half").front().starts_with("/half: failure ("));
  CHECK(client.ask("/reset").front().starts_with("/reset: failure ("));
  CHECK(client.ask("/").front() == "/: success (HTTP 200), counted");
}

TEST_CASE("libcurl: an exception of the handler does not change what was reported", "[libcurl]") {
  small_server server;
  recipe client{{RECIPE, server.url(), ample}, {}};
  CHECK(client.ask("/poison").front() == "/poison: the handler has failed, the call was counted");
  CHECK(client.ask("/").front() == "/: success (HTTP 200), counted");
}

TEST_CASE("libcurl: Retry-After lengthens the open period, and no connection is made meanwhile",
          "[libcurl]") {
  small_server server;
  recipe client{{RECIPE, server.url(), ample}, {}};
  const auto all = client.ask("/busy;/busy;/busy");
  CAPTURE(all);
  CHECK(count_of(all, "/busy: failure (HTTP 503), counted") == 3);
  const int before = server.connections();
  const auto refused = client.ask("/;/");
  CAPTURE(refused);
  CHECK(count_of(refused, "/: refused, circuit open, retry in ") == 2);
  CHECK(count_of(refused, "retry in 2 s") == 0);  // what the options say
  CHECK(server.connections() == before);
}

TEST_CASE("libcurl: transfers without an answer time out together, and the circuit closes later",
          "[libcurl]") {
  small_server server;
  recipe client{{RECIPE, server.url(), brief}, {}};
  const auto began = std::chrono::steady_clock::now();
  const auto all = client.ask("/hang;/hang;/hang");
  CAPTURE(all);
  CHECK(std::chrono::steady_clock::now() - began <
        std::chrono::milliseconds{4000});  // not one after the other
  CHECK(count_of(all, "/hang: failure (Timeout was reached), counted") == 3);
  const int before = server.connections();
  CHECK(client.ask("/").front().starts_with("/: refused, circuit open, retry in "));
  CHECK(server.connections() == before);
  CHECK(returns(client, "/"));
}

TEST_CASE("libcurl: what is in flight at the end is cancelled", "[libcurl]") {
  small_server server;
  recipe client{{RECIPE, server.url(), ample}, {}};
  const auto all = client.stop_amid("/hang;/hang");
  CAPTURE(all);
  CHECK(count_of(all, "/hang: cancelled (shutdown), released") == 2);
  CHECK(client.status() == 0);
}
