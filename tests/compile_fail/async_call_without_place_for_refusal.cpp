// SPDX-License-Identifier: BSL-1.0
// A completion without an error cannot tell of a refusal.
// must say: Use brownout::async_try_call
#include "brownout/asio/async_call.hpp"
#include "brownout/breaker/circuit_breaker.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <tuple>

void wait(brownout::circuit_breaker<>& database, boost::asio::io_context& io) {
#ifdef MISTAKE
  brownout::async_call(database, boost::asio::post(io, boost::asio::deferred),
                       boost::asio::bind_executor(io.get_executor(), [] {}));
#else
  brownout::async_try_call(
      database, boost::asio::post(io, boost::asio::deferred),
      boost::asio::bind_executor(io.get_executor(), [](brownout::result<std::tuple<>>) {}));
#endif
}
