// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/append.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

/// Operations that tests end as they like, without sockets and timers.
namespace asio_test {

namespace net = boost::asio;
using boost::system::error_code;

/// Completes with these arguments after one hop through the executor.
template <class Executor, class Token, class... A>
auto async_answer(const Executor& executor, Token&& token, error_code error, A... values) {
  return net::async_initiate<Token, void(error_code, A...)>(
      [executor](auto handler, error_code with, auto... rest) {
        net::post(executor, net::append(std::move(handler), with, std::move(rest)...));
      },
      token, error, std::move(values)...);
}

/// An operation that is under way until the test ends it or its cancellation slot does. At most one at a
/// time.
class held_operation {
 public:
  explicit held_operation(net::io_context& io) : io_{io} {}

  template <class Token>
  auto async_wait(Token&& token) {
    return net::async_initiate<Token, void(error_code)>(
        [this](auto handler) {
          ++started;
          if (auto slot = net::get_associated_cancellation_slot(handler); slot.is_connected()) {
            slot.assign([this](net::cancellation_type_t asked) {
              seen = asked;
              if (!is_deaf) end(net::error::operation_aborted);
            });
          }
          auto kept = std::make_shared<decltype(handler)>(std::move(handler));
          end_ = [this, kept](error_code with) {
            auto last = net::append(std::move(*kept), with);
            is_prompt ? net::dispatch(io_, std::move(last)) : net::post(io_, std::move(last));
          };
        },
        token);
  }

  void end(error_code with = {}) {
    if (auto end = std::exchange(end_, nullptr)) end(with);
  }
  /// Destroys the handler.
  void lose() { end_ = nullptr; }

  int started = 0;
  bool is_deaf = false;    // to cancellation
  bool is_prompt = false;  // ends within its cancellation, if that comes from a handler
  net::cancellation_type_t seen = net::cancellation_type::none;

 private:
  net::io_context& io_;
  std::function<void(error_code)> end_;
};

}  // namespace asio_test
