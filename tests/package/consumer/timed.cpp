// SPDX-License-Identifier: BSL-1.0
// An operation of Boost.Asio in the program of another project: it hangs, a time-out ends it, and that opens
// the circuit.
#include <brownout/asio/async_pipeline.hpp>
#include <brownout/brownout.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <utility>

namespace net = boost::asio;

int main() {
  using namespace std::chrono_literals;
  brownout::circuit_breaker database{brownout::consecutive_failures{1}, {.name = "database"}};
  const brownout::pipeline guarded{database, brownout::timeout{.limit = 1ms}};
  net::io_context io;
  net::steady_timer answer{io, 1h};
  boost::system::error_code told;
  brownout::async_call(
      guarded, [&](auto token) { return answer.async_wait(std::move(token)); },
      net::bind_executor(io, [&](boost::system::error_code error) { told = error; }));
  io.run();
  return told && database.observed_state() == brownout::circuit_state::open ? 0 : 1;
}
