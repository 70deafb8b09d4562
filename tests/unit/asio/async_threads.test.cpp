// SPDX-License-Identifier: BSL-1.0
#include "brownout/asio/async_bulkhead.hpp"
#include "brownout/asio/async_guard.hpp"
#include "brownout/asio/async_hedge.hpp"
#include "brownout/asio/async_pipeline.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/hedge.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"
#include "catch2.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/consign.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

// Calls on a pool of threads, each on a strand of its own, started by threads outside of the pool. The thread
// sanitizer says whether anything of a call is touched by two threads at once.

using namespace std::chrono_literals;
using boost::system::error_code;
using brownout::circuit_breaker;
using brownout::consecutive_failures;
using brownout::pipeline;
namespace net = boost::asio;

namespace {

constexpr int calls_of_a_thread = 500;

/// An operation on a strand, and what its caller has.
struct caller {
  using strand = net::strand<net::thread_pool::executor_type>;

  explicit caller(net::thread_pool& pool) : on{net::make_strand(pool)}, timer{on} {}

  template <class Token>
  auto wait(std::chrono::microseconds time, Token&& token) {
    timer.expires_after(time);
    return timer.async_wait(std::forward<Token>(token));
  }

  strand on;
  net::steady_timer timer;
  net::cancellation_signal signal{};
};

/// Calls `start(caller, number)` many times on two threads, and waits until all of the pool has ended.
template <class Start>
void start_from_outside(Start start) {
  net::thread_pool pool{3};
  const auto begin = [&](int first) {
    for (int i = first; i < first + calls_of_a_thread; ++i) start(std::make_shared<caller>(pool), i);
  };
  std::thread one{begin, 0};
  std::thread other{begin, calls_of_a_thread};
  one.join();
  other.join();
  pool.join();
}

struct guards {
  circuit_breaker<consecutive_failures> database{{1'000'000}, {.name = "database"}};
  brownout::bulkhead<> places{{.name = "places", .limit = 10'000}};
  brownout::retry_budget budget{{.least = 100'000}};
  std::atomic<int> ended{0};
};

}  // namespace

TEST_CASE("calls through a pipeline that other threads start and cancel", "[asio][Y16]") {
  guards with;
  const pipeline guarded{brownout::timeout{.limit = 20ms},
                         brownout::retry{.budget = &with.budget, .idempotent = true, .base = 1ms, .cap = 1ms},
                         with.database, with.places, brownout::timeout{.limit = 300us}};
  start_from_outside([&](const std::shared_ptr<caller>& mine, int number) {
    brownout::async_call(
        guarded,
        [mine, number](auto token) {
          return mine->wait(std::chrono::microseconds{number % 400}, std::move(token));
        },
        net::bind_cancellation_slot(mine->signal.slot(),
                                    net::bind_executor(mine->on, [&, mine](error_code) { ++with.ended; })));
    if (number % 3 == 0) net::post(mine->on, [mine] { mine->signal.emit(net::cancellation_type::terminal); });
  });
  CHECK(with.ended == 2 * calls_of_a_thread);
  CHECK(with.places.snapshot().in_flight == 0);
}

TEST_CASE("calls of one guard with a deadline that other threads start", "[asio][Y16][Y17]") {
  guards with;
  net::thread_pool timers{1};
  brownout::async_guard guarded{timers.get_executor(), with.database, {.deadline = 1ms}};
  start_from_outside([&](const std::shared_ptr<caller>& mine, int number) {
    guarded.async_call_as<void(error_code)>(
        [mine, number](auto token) { mine->wait(std::chrono::microseconds{number * 3}, std::move(token)); },
        net::bind_executor(mine->on, [&, mine](error_code) { ++with.ended; }));
  });
  CHECK(with.ended == 2 * calls_of_a_thread);
  timers.join();
}

TEST_CASE("hedged calls that other threads start", "[asio][Y16][Y19]") {
  guards with;
  brownout::hedge hedging{{.after = 1ms, .budget = &with.budget, .idempotent = true}};
  const pipeline guarded{with.database, with.places};
  start_from_outside([&](const std::shared_ptr<caller>& mine, int number) {
    brownout::async_hedge(
        hedging, guarded,
        [mine, number](auto token) {
          auto timer = std::make_shared<net::steady_timer>(mine->on, std::chrono::microseconds{number * 3});
          return timer->async_wait(net::consign(std::move(token), timer));
        },
        net::bind_executor(mine->on, [&, mine](error_code) { ++with.ended; }));
  });
  CHECK(with.ended == 2 * calls_of_a_thread);
  CHECK(with.places.snapshot().in_flight == 0);
}

TEST_CASE("no more calls than places, whichever threads wait, cancel and give back", "[asio][Y16][Y20]") {
  guards with;
  net::thread_pool timers{1};
  brownout::async_bulkhead places{timers.get_executor(),
                                  {.limit = 2, .most_waiting = 10'000, .longest_wait = 20ms}};
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<int> served{0};
  start_from_outside([&](const std::shared_ptr<caller>& mine, int number) {
    places.async_acquire(net::bind_cancellation_slot(
        mine->signal.slot(), net::bind_executor(mine->on, [&, mine](error_code error, auto place) {
          ++with.ended;
          if (error) return;
          ++served;
          const int now = ++inside;
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          --inside;
          place.release();
        })));
    if (number % 5 == 0) net::post(mine->on, [mine] { mine->signal.emit(net::cancellation_type::total); });
  });
  CHECK(with.ended == 2 * calls_of_a_thread);
  CHECK(most <= 2);
  CHECK(served > 0);
  CHECK(places.snapshot().in_flight == 0);
  CHECK(places.snapshot().waiting == 0);
  timers.join();
}
