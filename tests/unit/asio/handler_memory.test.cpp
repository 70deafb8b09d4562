// SPDX-License-Identifier: BSL-1.0
#include "brownout/asio/async_bulkhead.hpp"
#include "brownout/asio/async_call.hpp"
#include "brownout/asio/async_guard.hpp"
#include "brownout/asio/async_hedge.hpp"
#include "brownout/asio/async_pipeline.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/hedge.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"
#include "catch2.hpp"
#include "unit/asio/counted_memory.hpp"
#include "unit/asio/operations.hpp"
#include "unit/asio/static_clock.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

using namespace std::chrono_literals;
using asio_test::error_code;
using asio_test::held_operation;
using asio_test::static_clock;
using brownout::consecutive_failures;
using brownout::pipeline;
namespace net = boost::asio;

namespace {

using breaker = brownout::circuit_breaker<consecutive_failures, static_clock>;
using executor = net::io_context::executor_type;

/// What a handler owns, with the memory for its call.
struct session {
  int* left;  // of the memory, when this ends
  int taken = 0;

  explicit session(int& where) : left{&where} {}
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() { *left = taken; }
};

}  // namespace

TEST_CASE("a handler that is never called may own the memory of its call", "[asio][Y5][Y10]") {
  const bool is_started = GENERATE(true, false);
  int left = -1;
  breaker database{consecutive_failures{1}, {}};
  brownout::retry_budget budget{{.least = 100}};
  brownout::hedge hedging{{.after = 40ms, .budget = &budget, .idempotent = true}};
  const pipeline timed{static_clock{}, database, brownout::timeout{.limit = 1s}};
  {
    net::io_context io{1};
    held_operation held{io};
    brownout::async_guard<breaker, executor, static_clock> guarded{
        io.get_executor(), database, {.deadline = 1s}};
    brownout::async_bulkhead<executor, static_clock> places{io.get_executor(), {.limit = 0}};
    auto owned = std::make_shared<session>(left);
    auto handler =
        net::bind_allocator(asio_test::counted_memory<void>{owned->taken},
                            net::bind_executor(io.get_executor(), [owned](error_code, const auto&...) {}));
    owned.reset();
    const auto operation = [&](auto token) { return held.async_wait(std::move(token)); };
    SECTION("of a call with a deadline") {
      guarded.async_call(held.async_wait(net::deferred), std::move(handler));
    }
    SECTION("of a call through a pipeline") {
      brownout::async_call(timed, operation, std::move(handler));
    }
    SECTION("of a hedged call") {
      brownout::async_hedge(hedging, timed, operation, std::move(handler));
    }
    SECTION("of a wait for a place") {
      places.async_acquire(std::move(handler));
    }
    SECTION("of a wait for a place in a pipeline") {
      brownout::async_call(pipeline{static_clock{}, places}, operation, std::move(handler));
    }
    if (is_started) io.poll();
  }
  CHECK(left == 0);
}
