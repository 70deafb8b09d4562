// SPDX-License-Identifier: BSL-1.0
// The signature of an operation that is a generic lambda cannot be deduced if the lambda returns nothing.
// must say: the completion signature of this operation cannot be deduced
#include "brownout/asio/async_call.hpp"
#include "brownout/breaker/circuit_breaker.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <utility>

void wait(brownout::circuit_breaker<>& database, boost::asio::steady_timer& timer) {
  const auto operation = [&](auto handler) { timer.async_wait(std::move(handler)); };
  auto handler = boost::asio::bind_executor(timer.get_executor(), [](boost::system::error_code) {});
#ifdef MISTAKE
  brownout::async_call(database, operation, handler);
#else
  const auto returning = [&](auto token) { return timer.async_wait(std::move(token)); };
  brownout::async_call(database, returning, handler);
  brownout::async_call_as<void(boost::system::error_code)>(database, operation, handler);
#endif
}
