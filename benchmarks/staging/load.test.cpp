// SPDX-License-Identifier: BSL-1.0

// That the load plan measures what it says, and can find fault.
#include "catch2.hpp"
#include "staging/bad_link.hpp"
#include "staging/generator.hpp"
#include "staging/report.hpp"
#include "staging/support/free_port.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

using namespace staging_load;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Answers on one connection after another; each stays until the client leaves it, or for so many answers.
class one_at_a_time {
 public:
  /// `stall`: how long the first answer takes.
  explicit one_at_a_time(load_clock::duration stall = {}, std::string said = ok, int answers = 1'000'000)
      : stall_{stall}, said_{std::move(said)}, answers_{answers} {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listener_, 128) == 0);
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread{[this](const std::stop_token& stop) { serve(stop); }};
  }
  ~one_at_a_time() {
    thread_.request_stop();
    thread_.join();
    close(listener_);
  }
  one_at_a_time(const one_at_a_time&) = delete;
  one_at_a_time& operator=(const one_at_a_time&) = delete;

  [[nodiscard]] target where(std::size_t connections) const {
    return {.port = port_, .request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", .connections = connections};
  }

 private:
  static bool is_readable(int socket, const std::stop_token& stop) {
    pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
    while (!stop.stop_requested()) {
      if (poll(&waiting, 1, 20) > 0) return true;
    }
    return false;
  }

  void serve(const std::stop_token& stop) {
    while (is_readable(listener_, stop)) {
      const int client = accept(listener_, nullptr, nullptr);
      char input[4096];
      for (int i = 0; i < answers_ && is_readable(client, stop) && recv(client, input, sizeof input, 0) > 0;
           ++i) {
        std::this_thread::sleep_for(std::exchange(stall_, {}));
        if (send(client, said_.data(), said_.size(), MSG_NOSIGNAL) < 0) break;
      }
      close(client);
    }
  }

  int listener_ = -1;
  int port_ = 0;
  load_clock::duration stall_;
  std::string said_;
  int answers_;
  std::jthread thread_;
};

std::size_t slower_than(const outcome& found, float limit) {
  return static_cast<std::size_t>(
      std::ranges::count_if(found.latencies, [&](float one) { return one > limit; }));
}

}  // namespace

TEST_CASE("requests that are due while the server stalls count with their whole wait", "[load]") {
  const one_at_a_time server{400ms};
  const auto found = at_rates(server.where(1), {{"steady", 200, 200, 600ms}}).front();
  CHECK(found.answered() == found.requests);
  CHECK(found.requests > 80);
  CHECK(slower_than(found, 100) > 40);  // a client that waited for its answers would have seen one
}

TEST_CASE("the rate of a segment rises from its beginning to its end", "[load]") {
  const one_at_a_time server;
  const auto found = at_rates(server.where(1), {{"ramp", 20, 400, 1s}, {"burst", 1'000, 1'000, 300ms}});
  CHECK(found.at(0).requests + found.at(1).requests > 200);
  CHECK(found.at(1).requests > 200);
  CHECK(found.at(1).requests < 400);
  CHECK(found.at(1).lost() == 0);
}

TEST_CASE("a segment with few requests ends in time", "[load]") {
  const one_at_a_time server;
  auto found = at_rates(server.where(1), {{"few", 0.01, 0.01, 200ms}, {"many", 500, 500, 200ms}});
  CHECK(found.at(0).requests == 1);
  CHECK(found.at(1).requests > 50);
  CHECK(found.at(1).percentile(1) < 1'000);
}

TEST_CASE("clients each wait for their answer, and stop after so many requests", "[load]") {
  const one_at_a_time server;
  const auto found = by_clients(server.where(1'000), 1, 500, 10s);
  CHECK(found.requests == 500);
  CHECK(found.statuses == std::map<int, std::uint64_t>{{200, 500}});
}

TEST_CASE("a connection that the server closes between two requests costs no request", "[load]") {
  const one_at_a_time server{{}, ok, 3};
  const auto found = by_clients(server.where(1), 1, 100, 10s);
  CHECK(found.answered() == 100);
  CHECK(found.lost() == 0);
}

TEST_CASE("requests that are refused or not answered are errors", "[load]") {
  const auto nobody = staging_tests::free_port();
  const auto refused = by_clients({.port = nobody, .request = "x"}, 1, 5, 5s);
  CHECK(refused.errors == std::map<std::string, std::uint64_t>{{"not connected", 5}});

  const one_at_a_time mute{{}, ""};
  auto where = mute.where(1);
  where.timeout = 300ms;
  const auto unanswered = by_clients(where, 1, 1, 5s);
  CHECK(unanswered.errors == std::map<std::string, std::uint64_t>{{"timeout", 1}});

  const one_at_a_time hasty{{}, ok, 0};
  CHECK(by_clients(hasty.where(1), 1, 1, 5s).lost() == 1);
}

TEST_CASE("a 503 is counted by who gave it", "[load]") {
  const std::string body = R"({"error":{"message":"No server can take the request now."}})";
  const one_at_a_time server{{},
                             "HTTP/1.1 503 Service Unavailable\r\ncontent-length: " +
                                 std::to_string(body.size()) + "\r\n\r\n" + body};
  const auto found = by_clients(server.where(1), 1, 3, 5s);
  CHECK(found.server_errors() == 3);
  CHECK(found.refusals == std::map<std::string, std::uint64_t>{{"HAProxy: no turn", 3}});
}

TEST_CASE("a bad link delays answers and loses none", "[load]") {
  const one_at_a_time server;
  auto where = server.where(1);
  SECTION("by its latency") {
    const bad_link between{where.port, {.latency = 60ms}};
    where.port = between.port();
    const auto found = by_clients(where, 1, 5, 5s);
    CHECK(found.answered() == 5);
    CHECK(slower_than(found, 59) == 5);
  }
  SECTION("by the time until what is lost is sent again") {
    const bad_link between{where.port, {.loss = 0.2}};
    where.port = between.port();
    const auto found = by_clients(where, 1, 20, 60s);
    CHECK(found.answered() == 20);
    CHECK(slower_than(found, 199) > 3);
    CHECK(slower_than(found, 199) < 20);
  }
}

TEST_CASE("each kind of goal can be missed", "[load]") {
  const goals all{
      .no_server_errors = true, .no_errors = true, .p95 = 500, .p99 = 900, .slowest = 1'000, .growth = 4};
  row good{.phase = "a", .target = "b", .offered = "c"};
  good.found.latencies = std::vector<float>(100, 1.F);
  good.found.statuses[200] = 100;
  good.before = {.resident = 20, .descriptors = 10};
  good.after = {.resident = 23, .descriptors = 10};
  CHECK(missed_by(good, all).empty());

  using names = std::vector<std::string>;
  const auto misses = [&](auto spoil) {
    auto spoilt = good;
    spoil(spoilt);
    names missed;
    for (const auto& each : missed_by(spoilt, all)) missed.push_back(each.what);
    return missed;
  };
  CHECK(misses([](row& one) { one.found.latencies.clear(); }) == names{"no answer"});
  CHECK(misses([](row& one) { one.found.statuses[503] = 1; }) == names{"5xx"});
  CHECK(misses([](row& one) { one.found.errors["timeout"] = 1; }) == names{"errors"});
  CHECK(misses([](row& one) { std::fill_n(one.found.latencies.begin(), 6, 501.F); }) ==
        names{"p95 501 > 500 ms"});
  CHECK(misses([](row& one) { std::fill_n(one.found.latencies.begin(), 2, 901.F); }) ==
        names{"p99 901 > 900 ms"});
  CHECK(misses([](row& one) { one.found.latencies[0] = 1'001; }) == names{"slowest 1001 > 1000 ms"});
  CHECK(misses([](row& one) { one.after.resident = 25; }) == names{"memory + 5.0 > 4.0 MiB"});
  CHECK(misses([](row& one) { one.after.descriptors = 11; }) == names{"descriptors"});
}

TEST_CASE("a phase that is late is measured again, and one with errors is not", "[load]") {
  int measured = 0;
  const auto phase = [&](int late_times, bool errors) {
    return [&measured, late_times, errors] {
      row one{.phase = "a", .target = "b", .offered = "c"};
      one.found.latencies.assign(100, measured++ < late_times ? 600.F : 1.F);
      if (errors) one.found.errors["timeout"] = 1;
      return std::vector<judged_row>{{one, {.no_errors = true, .p95 = 500}}};
    };
  };
  report out;
  SECTION("until it is not") {
    out.add(phase(2, false));
    CHECK(measured == 3);
    CHECK(out.all_met());
  }
  SECTION("twice at most") {
    out.add(phase(9, false));
    CHECK(measured == 3);
    CHECK_FALSE(out.all_met());
  }
  SECTION("not even when it is late too") {
    out.add(phase(1, true));
    CHECK(measured == 1);
    CHECK_FALSE(out.all_met());
  }
}
