// SPDX-License-Identifier: BSL-1.0
// A refusal is delivered on the executor of the completion handler, so it needs one.
// must say: the completion handler has no associated executor
#include "brownout/asio/async_call.hpp"
#include "brownout/breaker/circuit_breaker.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>

void wait(brownout::circuit_breaker<>& database, boost::asio::steady_timer& timer) {
  const auto handler = [](boost::system::error_code) {};
#ifdef MISTAKE
  brownout::async_call(database, timer.async_wait(boost::asio::deferred), handler);
#else
  brownout::async_call(database, timer.async_wait(boost::asio::deferred),
                       boost::asio::bind_executor(timer.get_executor(), handler));
#endif
}
