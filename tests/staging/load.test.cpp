// SPDX-License-Identifier: BSL-1.0

// Many clients and slow ones, without a proxy in front.
#include "catch2.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/raw_socket.hpp"
#include "staging/support/staging_server.hpp"

#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <thread>
#include <vector>

using namespace staging_tests;
using namespace std::chrono_literals;

namespace {

using load_clock = std::chrono::steady_clock;
using latency = std::chrono::duration<double, std::milli>;

const std::string health_request =
    std::string{"GET /health HTTP/1.1\r\nHost: a\r\nX-API-Key: "} + staging_server::key + "\r\n\r\n";

/// A thousand connections at both of their ends; both processes start with this test's limit.
void allow_descriptors() {
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  REQUIRE(limit.rlim_max >= 2'048);
  limit.rlim_cur = limit.rlim_max;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/// Clients that keep their connections, each with one request under way.
struct keep_alive_clients {
  struct client {
    raw_socket socket;
    std::string input;
    load_clock::time_point asked;
    int answers = 0;
  };

  std::map<int, int> statuses;
  std::vector<latency> latencies;
  int lost = 0;  // connections that ended

  /// The answer at the front of `input`, whole; its size, or 0.
  static std::size_t size_of_answer(const std::string& input) {
    const auto end = input.find("\r\n\r\n");
    const auto length = input.find("Content-Length: ");
    if (end == std::string::npos || length > end) return 0;
    const auto size = end + 4 + std::stoul(input.substr(length + 16));
    return input.size() < size ? 0 : size;
  }

  void ask(int port, std::size_t number, int rounds, std::chrono::seconds limit) {
    std::vector<client> clients;
    for (std::size_t i = 0; i < number; ++i) clients.push_back({raw_socket{port}, {}, {}, 0});
    std::vector<pollfd> waiting;
    for (auto& one : clients) {
      one.asked = load_clock::now();
      one.socket.send(health_request);
      waiting.push_back({.fd = one.socket.descriptor(), .events = POLLIN, .revents = 0});
    }
    auto busy = number;
    const auto deadline = load_clock::now() + limit;
    while (busy > 0 && load_clock::now() < deadline) {
      poll(waiting.data(), waiting.size(), 100);
      for (std::size_t i = 0; i < number; ++i) {
        if (waiting[i].revents == 0) continue;
        auto& one = clients[i];
        const bool alive = one.socket.receive(one.input);
        lost += alive ? 0 : 1;
        if (const auto size = size_of_answer(one.input); size > 0) {
          ++statuses[std::stoi(one.input.substr(9, 3))];
          latencies.emplace_back(load_clock::now() - one.asked);
          one.input.erase(0, size);
          if (++one.answers < rounds) {
            one.asked = load_clock::now();
            one.socket.send(health_request);
          }
        }
        if (one.answers < rounds && alive) continue;
        waiting[i].fd = -1;
        --busy;
      }
    }
  }

  [[nodiscard]] double percentile(double share) {
    std::ranges::sort(latencies);
    return latencies.at(static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1))).count();
  }
};

}  // namespace

TEST_CASE("a thousand keep-alive clients are all served", "[load]") {
  allow_descriptors();
  const staging_server server{{}};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  // Other work on the machine can only make it slower: one quick round of three is enough, served are all.
  double p95 = 1e9;
  double p99 = 1e9;
  for (int round = 0; round < 3 && !(p95 < 500 && p99 < 1'000); ++round) {
    keep_alive_clients clients;
    clients.ask(server.port(), 1'000, 5, 60s);
    CHECK(clients.lost == 0);
    CHECK(clients.statuses == std::map<int, int>{{200, 5'000}});
    p95 = clients.percentile(0.95);
    p99 = clients.percentile(0.99);
  }
  CHECK(p95 < 500);
  CHECK(p99 < 1'000);
}

TEST_CASE("300 slow connections delay neither /livez nor /readyz", "[load]") {
  allow_descriptors();
  const staging_server server{{}};
  REQUIRE(eventually(5s, [&] { return server.shows(100, "OPTIMAL"); }));
  std::string head = "POST /api/simulate/redis HTTP/1.1\r\nHost: a\r\n";
  SECTION("that drip their headers") {
    head += "X-Slow: ";
  }
  SECTION("that drip the body of a request with the key") {
    head += std::string{"X-API-Key: "} + staging_server::key + "\r\nContent-Length: 1000\r\n\r\n";
  }
  std::vector<raw_socket> slow;
  for (int i = 0; i < 300; ++i) slow.emplace_back(server.port()).send(head);
  std::atomic<bool> over{false};
  std::thread dripping{[&] {
    while (!over) {
      for (const auto& one : slow) one.send("x");
      std::this_thread::sleep_for(50ms);
    }
  }};
  double slowest = 0;
  bool answered = true;
  for (int i = 0; i < 20; ++i) {
    for (const auto* path : {"/livez", "/readyz"}) {
      const auto got = server.get(path, {});
      answered = answered && got.status == 200;
      slowest = std::max(slowest, got.took.count());
    }
  }
  over = true;
  dripping.join();
  CHECK(answered);
  CHECK(slowest <= 250);
}
