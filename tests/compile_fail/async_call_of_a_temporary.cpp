// SPDX-License-Identifier: BSL-1.0
// An asynchronous call refers to its breaker, which has to live longer.
// must say: outlives the call, or a std::shared_ptr
#include "brownout/asio/async_call.hpp"
#include "brownout/breaker/circuit_breaker.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>

void wait(boost::asio::steady_timer& timer) {
  auto handler = boost::asio::bind_executor(timer.get_executor(), [](boost::system::error_code) {});
#ifdef MISTAKE
  brownout::async_call(brownout::circuit_breaker<>{}, timer.async_wait(boost::asio::deferred), handler);
#else
  brownout::async_call(std::make_shared<brownout::circuit_breaker<>>(),
                       timer.async_wait(boost::asio::deferred), handler);
#endif
}
