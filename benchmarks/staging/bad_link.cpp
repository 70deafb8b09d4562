// SPDX-License-Identifier: BSL-1.0
#include "staging/bad_link.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>

namespace staging_load {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {
constexpr std::chrono::milliseconds first_retransmission{200};
}

// Everything but constructor, destructor and port runs on its thread.
class bad_link::engine {
 public:
  engine(int target_port, impairment how)
      : how_{how}, target_{asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(target_port)} {
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread{[this] { context_.run(); }};
  }
  ~engine() {
    context_.stop();
    thread_.join();
  }
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  [[nodiscard]] int port() const noexcept { return port_; }

 private:
  struct connection {
    tcp::socket client;
    tcp::socket server;
  };

  asio::awaitable<void> accept() {
    for (;;) {
      error_code failed;
      auto client = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
      if (!failed) asio::co_spawn(context_, serve(std::move(client)), asio::detached);
    }
  }

  asio::awaitable<void> serve(tcp::socket client) {
    const auto one = std::make_shared<connection>(connection{std::move(client), tcp::socket{context_}});
    error_code failed;
    co_await one->server.async_connect(target_, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return;
    for (auto* socket : {&one->client, &one->server}) socket->set_option(tcp::no_delay{true}, failed);
    asio::co_spawn(context_, pass(one, one->server, one->client, how_.latency), asio::detached);
    co_await pass(one, one->client, one->server, {});
  }

  /// Passes bytes on in one direction, in order, until either end closes; then both are closed.
  asio::awaitable<void> pass(std::shared_ptr<connection> keep, tcp::socket& from, tcp::socket& to,
                             std::chrono::milliseconds latency) {
    static_cast<void>(keep);
    std::array<char, 16'384> bytes;
    asio::steady_timer later{context_};
    for (error_code failed; !failed;) {
      const auto size = co_await from.async_read_some(asio::buffer(bytes),
                                                      asio::redirect_error(asio::use_awaitable, failed));
      if (failed) break;
      if (const auto delay = latency + delay_by_loss(); delay > delay.zero()) {
        later.expires_after(delay);
        co_await later.async_wait(asio::redirect_error(asio::use_awaitable, failed));
      }
      co_await asio::async_write(to, asio::buffer(bytes, size),
                                 asio::redirect_error(asio::use_awaitable, failed));
    }
    error_code ignored;
    from.close(ignored);
    to.close(ignored);
  }

  std::chrono::milliseconds delay_by_loss() {
    std::chrono::milliseconds delay{0};
    for (auto wait = first_retransmission; lost_(random_); wait *= 2) delay += wait;
    return delay;
  }

  const impairment how_;
  const tcp::endpoint target_;
  std::mt19937_64 random_{1};
  std::bernoulli_distribution lost_{how_.loss};
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
  const int port_ = acceptor_.local_endpoint().port();
  std::thread thread_{};
};

bad_link::bad_link(int target_port, impairment how) : engine_{std::make_unique<engine>(target_port, how)} {}
bad_link::~bad_link() = default;
int bad_link::port() const noexcept {
  return engine_->port();
}

}  // namespace staging_load
