// SPDX-License-Identifier: BSL-1.0
//
// An HTTP client of Boost.Beast, guarded by a pipeline, in a coroutine.
//
// The server of this example fails on purpose: it resets connections, and sometimes does not answer at all.
// No thread waits: attempts, waits between them and time-outs are operations of one io_context.
#include <brownout/asio/async_pipeline.hpp>
#include <brownout/brownout.hpp>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

using namespace std::chrono_literals;
namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = net::ip::tcp;

enum class behaviour { answers, resets, is_silent };

/// Answers each connection as it is told to.
net::awaitable<void> serve(tcp::acceptor& acceptor, const behaviour& now) {
  for (;;) {
    auto socket = co_await acceptor.async_accept(net::use_awaitable);
    if (now == behaviour::resets) {
      socket.set_option(net::socket_base::linger{true, 0});
      continue;  // destroyed, and so reset
    }
    beast::flat_buffer buffer;
    http::request<http::empty_body> asked;
    co_await http::async_read(socket, buffer, asked, net::use_awaitable);
    if (now == behaviour::is_silent) {  // until the client gives up
      co_await http::async_read(socket, buffer, asked, net::as_tuple(net::use_awaitable));
      continue;
    }
    http::response<http::string_body> answer{http::status::ok, asked.version()};
    answer.body() = "42 rows";
    answer.prepare_payload();
    co_await http::async_write(socket, answer, net::use_awaitable);
  }
}

/// One exchange with the server: what a client without guards does.
net::awaitable<std::string> get(tcp::endpoint server) {
  tcp::socket socket{co_await net::this_coro::executor};
  co_await socket.async_connect(server, net::use_awaitable);
  http::request<http::empty_body> request{http::verb::get, "/rows", 11};
  request.set(http::field::host, "127.0.0.1");
  co_await http::async_write(socket, request, net::use_awaitable);
  beast::flat_buffer buffer;
  http::response<http::string_body> answer;
  co_await http::async_read(socket, buffer, answer, net::use_awaitable);
  co_return std::move(answer.body());
}

net::awaitable<void> use(tcp::endpoint server, behaviour& now) {
  const auto executor = co_await net::this_coro::executor;
  brownout::circuit_breaker api{brownout::consecutive_failures{4}, {.name = "api", .open_for = 100ms}};
  brownout::retry_budget budget;
  const brownout::pipeline guarded{
      brownout::timeout{.limit = 5s},  // for all attempts together
      brownout::retry{.budget = &budget, .idempotent = true, .base = 10ms, .cap = 20ms}, api,
      brownout::timeout{.limit = 200ms}};  // for each attempt: cancels it

  const auto call = [&](behaviour behaves) -> net::awaitable<void> {
    now = behaves;
    brownout::call_report report;
    std::string result;
    try {
      result = co_await brownout::async_call(guarded,
                                             [&](const brownout::call_context& /*attempt*/, auto token) {
                                               return net::co_spawn(executor, get(server), std::move(token));
                                             },
                                             net::use_awaitable, {.report = &report});
    } catch (const std::exception& error) {
      result = error.what();
    }
    result = result.substr(0, result.find(", retry in"));  // a time, and no two runs are alike
    std::cout << "  " << result << "; attempts: " << report.attempts
              << ", circuit: " << to_string(api.snapshot().state) << '\n';
  };

  std::cout << "The server answers:\n";
  co_await call(behaviour::answers);
  std::cout << "It does not answer, so each attempt is cancelled after 200 ms:\n";
  co_await call(behaviour::is_silent);
  std::cout << "It resets connections. The first failure is the fourth in a row, and opens the circuit:\n";
  co_await call(behaviour::resets);
  std::cout << "A tenth of a second later it is well:\n";
  net::steady_timer later{executor, 150ms};
  co_await later.async_wait(net::use_awaitable);
  co_await call(behaviour::answers);
}

int main() {
  net::io_context io{1};
  tcp::acceptor acceptor{io, {net::ip::address_v4::loopback(), 0}};
  behaviour now = behaviour::answers;
  net::co_spawn(io, serve(acceptor, now), net::detached);
  net::co_spawn(io, use(acceptor.local_endpoint(), now), [&](const std::exception_ptr&) { io.stop(); });
  io.run();
}

// Output:
// The server answers:
//   42 rows; attempts: 1, circuit: closed
// It does not answer, so each attempt is cancelled after 200 ms:
//   brownout: call ended: timed out; attempts: 3, circuit: closed
// It resets connections. The first failure is the fourth in a row, and opens the circuit:
//   brownout: call to api rejected: circuit open; attempts: 1, circuit: open
// A tenth of a second later it is well:
//   42 rows; attempts: 1, circuit: half_open
