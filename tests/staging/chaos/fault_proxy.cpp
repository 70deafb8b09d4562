// SPDX-License-Identifier: BSL-1.0
#include "staging/chaos/fault_proxy.hpp"

#include "staging/support/free_port.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

namespace staging_chaos {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds slowness{800};  // twice the time-outs of the campaign

/// Ends a connection so that its peer reads "connection reset".
void reset(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(asio::socket_base::linger{true, 0}, ignored);
  socket.close(ignored);
}

/// A socket that the processes which the campaign starts do not inherit: they would hold port and connections
/// open. Boost.Asio can set that only later, and another thread may fork in between.
int private_socket() {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) throw std::system_error{errno, std::generic_category(), "socket"};
  return made;
}

/// A socket that is bound to this address, also while another socket of a proxy is.
int bound_socket(tcp::endpoint address) {
  const int made = private_socket();
  const int yes = 1;
  setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  setsockopt(made, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
  if (::bind(made, address.data(), static_cast<socklen_t>(address.size())) != 0) {
    const int error = errno;
    ::close(made);
    throw std::system_error{error, std::generic_category(),
                            "port " + std::to_string(address.port()) + " of a fault proxy"};
  }
  return made;
}

}  // namespace

std::string_view to_string(fault value) noexcept {
  switch (value) {
    case fault::killed:
      return "SIGKILL";
    case fault::stopped:
      return "SIGSTOP";
    case fault::refused:
      return "refused";
    case fault::reset:
      return "reset";
    case fault::black_hole:
      return "black hole";
    case fault::slow:
      return "slow";
    case fault::garbage:
      return "garbage";
    case fault::half_failing:
      return "half failing";
  }
  return "invalid";
}

// Everything but the constructor and destructor runs on its thread.
class fault_proxy::engine {
 public:
  explicit engine(int target_port)
      : target_{asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(target_port)},
        address_{asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(staging_tests::free_port())},
        acceptor_{context_, tcp::v4(), bound_socket(address_)} {
    acceptor_.listen();
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread{[this] { context_.run(); }};
  }
  ~engine() {
    context_.stop();
    thread_.join();
  }
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  [[nodiscard]] int port() const noexcept { return address_.port(); }

  void become(std::optional<fault> wanted) {
    asio::post(context_, asio::use_future([this, wanted] { change_to(wanted); })).get();
  }

 private:
  struct connection {
    tcp::socket client;
    tcp::socket server;
  };

  void change_to(std::optional<fault> wanted) {
    const auto before = fault_;
    fault_ = wanted;
    if (wanted == fault::refused) {
      // A port that is bound and does not listen refuses connections. The new socket is bound before the old
      // one is closed: in between, an outgoing connection or another server could take the port.
      const int silent = bound_socket(address_);
      acceptor_.close();
      acceptor_.assign(tcp::v4(), silent);
    } else if (before == fault::refused) {
      acceptor_.listen();
      asio::co_spawn(context_, accept(), asio::detached);
    }
    // Bytes may be missing in a connection that went through a fault.
    const bool spoils = before && before != fault::slow;
    if (spoils || wanted == fault::refused || wanted == fault::reset || wanted == fault::half_failing) {
      for (auto& one : open_) {
        reset(one.client);
        reset(one.server);
      }
    }
  }

  asio::awaitable<void> accept() {
    for (;;) {
      error_code failed;
      co_await acceptor_.async_wait(tcp::acceptor::wait_read,
                                    asio::redirect_error(asio::use_awaitable, failed));
      if (failed) co_return;  // closed
      const int accepted = accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
      if (accepted < 0) continue;
      tcp::socket client{context_, tcp::v4(), accepted};
      const bool is_unlucky = fault_ == fault::half_failing && ++accepted_ % 2 == 0;
      if (fault_ == fault::reset || is_unlucky) {
        reset(client);
        continue;
      }
      open_.push_back({std::move(client), tcp::socket{context_}});
      asio::co_spawn(context_, serve(std::prev(open_.end())), asio::detached);
    }
  }

  asio::awaitable<void> serve(std::list<connection>::iterator one) {
    error_code failed;
    one->server.assign(tcp::v4(), private_socket());
    co_await one->server.async_connect(target_, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) {
      reset(one->client);  // a dead server: the caller's connection ends as it would without a proxy
    } else {
      bool other_way_ended = false;
      asio::steady_timer ended{context_, asio::steady_timer::time_point::max()};
      asio::co_spawn(context_, pass(one->server, one->client, true), [&](std::exception_ptr) {
        other_way_ended = true;
        ended.cancel();
      });
      co_await pass(one->client, one->server, false);
      error_code cancelled;
      if (!other_way_ended) co_await ended.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
    open_.erase(one);
  }

  /// Passes bytes on in one direction until either end closes; then both are closed.
  asio::awaitable<void> pass(tcp::socket& from, tcp::socket& to, bool is_answer) {
    std::array<char, 16384> bytes;
    for (;;) {
      error_code failed;
      auto size = co_await from.async_read_some(asio::buffer(bytes),
                                                asio::redirect_error(asio::use_awaitable, failed));
      if (failed) break;
      if (fault_ == fault::black_hole) continue;
      if (fault_ == fault::slow && is_answer) {
        asio::steady_timer later{context_, slowness};
        co_await later.async_wait(asio::redirect_error(asio::use_awaitable, failed));
      }
      if (fault_ == fault::garbage && is_answer) {
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] * 31 + 7);
      }
      co_await asio::async_write(to, asio::buffer(bytes, size),
                                 asio::redirect_error(asio::use_awaitable, failed));
      if (failed) break;
    }
    // In a black hole the caller must not notice that the other end has given up.
    while (fault_ == fault::black_hole && is_answer && to.is_open()) {
      error_code ignored;
      asio::steady_timer later{context_, std::chrono::milliseconds{20}};
      co_await later.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    error_code ignored;
    from.close(ignored);
    to.close(ignored);
  }

  asio::io_context context_{1};
  // While connections are refused there may be nothing to wait for.
  asio::executor_work_guard<asio::io_context::executor_type> lasting_{context_.get_executor()};
  const tcp::endpoint target_;
  const tcp::endpoint address_;
  tcp::acceptor acceptor_;
  std::optional<fault> fault_{};
  unsigned accepted_ = 0;
  std::list<connection> open_{};
  std::thread thread_{};
};

fault_proxy::fault_proxy(int target_port) : engine_{std::make_unique<engine>(target_port)} {}
fault_proxy::~fault_proxy() = default;
int fault_proxy::port() const noexcept {
  return engine_->port();
}
void fault_proxy::begin(fault wanted) {
  engine_->become(wanted);
}
void fault_proxy::end() {
  engine_->become(std::nullopt);
}

}  // namespace staging_chaos
