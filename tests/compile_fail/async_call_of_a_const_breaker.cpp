// SPDX-License-Identifier: BSL-1.0
// A call takes a permit from its breaker, and so changes it.
// must say: an asynchronous call changes its breaker
#include "brownout/asio/async_call.hpp"
#include "brownout/breaker/circuit_breaker.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>

#ifdef MISTAKE
using breaker = const brownout::circuit_breaker<>;
#else
using breaker = brownout::circuit_breaker<>;
#endif

void wait(breaker& database, boost::asio::steady_timer& timer) {
  brownout::async_call(database, timer.async_wait(boost::asio::deferred),
                       boost::asio::bind_executor(timer.get_executor(), [](boost::system::error_code) {}));
}
