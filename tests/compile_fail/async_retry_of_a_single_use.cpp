// SPDX-License-Identifier: BSL-1.0
// An operation that can be started once cannot be tried again.
// must say: a retry or a hedge, and this one can be
#include "brownout/asio/async_pipeline.hpp"
#include "brownout/guard/retry.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <utility>

struct send_once {
  std::unique_ptr<int> message;
  boost::asio::steady_timer* socket;

  template <class Token>
#ifdef MISTAKE
      auto operator()(Token&& token) && {
#else
  auto operator()(Token&& token) & {
#endif
                                            return socket->async_wait(std::forward<Token>(token));
}
}
;

void wait(boost::asio::io_context& io, boost::asio::steady_timer& timer, brownout::retry_budget& budget) {
  const brownout::pipeline guarded{brownout::retry{.budget = &budget, .idempotent = true}};
  brownout::async_call_as<void(boost::system::error_code)>(
      guarded, send_once{nullptr, &timer},
      boost::asio::bind_executor(io.get_executor(), [](boost::system::error_code) {}));
}
