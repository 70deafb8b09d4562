// SPDX-License-Identifier: BSL-1.0
// Asynchronous calls through a pipeline have a header of their own.
// must say: single_guard
#include "brownout/asio/async_call.hpp"
#ifndef MISTAKE
#include "brownout/asio/async_pipeline.hpp"
#endif
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/pipeline.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

void wait(boost::asio::io_context& io, boost::asio::steady_timer& timer,
          brownout::circuit_breaker<brownout::consecutive_failures>& database) {
  const brownout::pipeline guarded{database};
  brownout::async_call(guarded, timer.async_wait(boost::asio::deferred),
                       boost::asio::bind_executor(io.get_executor(), [](boost::system::error_code) {}));
}
