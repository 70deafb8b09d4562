// SPDX-License-Identifier: BSL-1.0
#include "brownout/asio/async_hedge.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/hedge.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"
#include "catch2.hpp"
#include "unit/asio/counted_memory.hpp"
#include "unit/asio/operations.hpp"
#include "unit/asio/static_clock.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using asio_test::error_code;
using asio_test::held_operation;
using asio_test::static_clock;
using brownout::bulkhead;
using brownout::consecutive_failures;
using brownout::errc;
using brownout::hedge;
using brownout::pipeline;
using brownout::retry_budget;
namespace net = boost::asio;

namespace {

using breaker = brownout::circuit_breaker<consecutive_failures, static_clock>;

struct world {
  breaker database{consecutive_failures{3}, {.name = "database", .open_for = 20s}};
  bulkhead<> places{{.name = "places", .limit = 5}};
  retry_budget budget{{.least = 100}};
  hedge hedging;
  net::io_context io{1};
  std::array<held_operation, 4> held{held_operation{io}, held_operation{io}, held_operation{io},
                                     held_operation{io}};
  std::size_t attempts = 0;
  net::cancellation_signal signal;
  std::optional<error_code> seen;

  explicit world(std::uint32_t extra = 1)
      : hedging{{.after = 40ms, .extra = extra, .budget = &budget, .idempotent = true}} {}

  template <class C = brownout::default_classifier>
  void start(const C& classify = {}) {
    brownout::async_hedge(
        hedging, pipeline{static_clock{}, database, places},
        [this](auto token) { return held[attempts++].async_wait(std::move(token)); },
        net::bind_cancellation_slot(
            signal.slot(), net::bind_executor(io.get_executor(), [this](error_code error) { seen = error; })),
        classify);
    run_ready();
  }
  void run_ready() {
    io.restart();
    io.poll();
  }
  void end(std::size_t which, error_code with = {}) {
    held[which].end(with);
    run_ready();
  }
  void pass(brownout::duration by) {
    static_clock::advance(by);
    run_ready();
  }
};

const error_code reset = net::error::connection_reset;

}  // namespace

TEST_CASE("a second attempt starts after the delay of the hedge", "[asio][Hd2]") {
  world on;
  on.start();
  on.pass(39ms);
  CHECK(on.attempts == 1);
  on.pass(1ms);
  CHECK(on.attempts == 2);
  on.pass(1h);
  CHECK(on.attempts == 2);
  CHECK(on.places.snapshot().in_flight == 2);  // each attempt passes the guards by itself
}

TEST_CASE("the first success is the answer, and losers are cancelled and awaited", "[asio][Y19][Hd3][Hd5]") {
  world on;
  on.start();
  on.pass(40ms);
  const auto winner = GENERATE(std::size_t{0}, std::size_t{1});
  const std::size_t loser = 1 - winner;
  on.held[loser].is_deaf = true;
  on.end(winner);
  CHECK(on.held[loser].seen == net::cancellation_type::terminal);
  CHECK(!on.seen);                             // the loser still runs
  CHECK(on.places.snapshot().in_flight == 1);  // and keeps its place
  on.end(loser, net::error::operation_aborted);
  CHECK(on.seen == error_code{});
  CHECK(on.database.snapshot().failed_results == 0);
  CHECK(on.places.snapshot().in_flight == 0);
  CHECK(on.hedging.snapshot().won == winner);
}

TEST_CASE("a hedged call without a slow attempt makes one", "[asio][Hd2]") {
  world on;
  on.start();
  on.pass(39ms);
  on.end(0);
  CHECK(on.seen == error_code{});
  on.pass(1h);
  CHECK(on.attempts == 1);
}

TEST_CASE("a failure starts the second attempt at once", "[asio][Hd2][Hd3]") {
  world on;
  on.start();
  on.end(0, reset);
  CHECK(on.attempts == 2);
  CHECK(!on.seen);
  SECTION("which may succeed") {
    on.end(1);
    CHECK(on.seen == error_code{});
  }
  SECTION("a failure ends the call when nothing else may start") {
    on.end(1, reset);
    CHECK(on.seen == reset);
    CHECK(on.database.snapshot().failed_results == 2);
  }
}

TEST_CASE("a failure does not end a hedged call while another attempt runs", "[asio][Hd3]") {
  world on;
  on.start();
  on.pass(40ms);
  on.end(0, reset);
  CHECK(!on.seen);
  on.end(1);
  CHECK(on.seen == error_code{});
}

TEST_CASE("an empty budget suppresses the next attempt and no other", "[asio][Hd4]") {
  world on;
  while (on.budget.try_withdraw()) {
  }
  on.start();
  on.pass(40ms);
  CHECK(on.attempts == 1);
  CHECK(on.hedging.snapshot().suppressed == 1);
  CHECK(on.held[0].seen == net::cancellation_type::none);
  on.end(0);
  CHECK(on.seen == error_code{});  // it hangs nothing
}

TEST_CASE("an answer that is not to be repeated stops further attempts", "[asio][Hd7]") {
  world on;
  SECTION("a failure with a Retry-After") {
    on.start(brownout::first_match{
        brownout::failure_if([](const error_code& error) { return error == reset; }),
        brownout::retry_after_from([](const error_code&) { return brownout::duration{1s}; })});
    on.end(0, reset);
    CHECK(on.seen == reset);
  }
  SECTION("an ignored call") {
    on.start(
        brownout::first_match{brownout::ignore_if([](const error_code& error) { return error == reset; })});
    on.end(0, reset);
    CHECK(on.seen == reset);
  }
  SECTION("a refusal of a guard") {
    on.database.force_open();
    on.start();
    CHECK(on.seen == errc::circuit_open);
  }
  CHECK(on.attempts <= 1);
}

TEST_CASE("three extra attempts start one after the other", "[asio][Hd2]") {
  world on{3};
  on.start();
  for (int i = 0; i < 5; ++i) on.pass(40ms);
  CHECK(on.attempts == 4);
  on.end(2);
  CHECK(on.seen == error_code{});
  for (const auto which : {0U, 1U, 3U}) CHECK(on.held[which].seen == net::cancellation_type::terminal);
}

TEST_CASE("a caller cancels all attempts of a hedged call", "[asio][Y19]") {
  world on;
  on.start();
  SECTION("both") {
    on.pass(40ms);
  }
  SECTION("before the second starts") {}
  on.signal.emit(net::cancellation_type::terminal);
  on.run_ready();
  CHECK(on.seen == net::error::operation_aborted);
  CHECK(on.database.snapshot().failed_results == 0);
  const auto before = on.attempts;
  on.pass(1h);
  CHECK(on.attempts == before);
}

TEST_CASE("a hedged call that is abandoned gives all permits back", "[asio][Y10][Y19]") {
  const auto how = GENERATE(0, 1, 2);
  breaker database{consecutive_failures{3}, {.name = "database", .open_for = 20s}};
  bulkhead<> places{{.name = "places", .limit = 5}};
  retry_budget budget{{.least = 100}};
  hedge hedging{{.after = 40ms, .budget = &budget, .idempotent = true}};
  bool was_called = false;
  {
    net::io_context io{1};
    std::array<held_operation, 2> held{held_operation{io}, held_operation{io}};
    std::size_t attempts = 0;
    brownout::async_hedge(
        hedging, pipeline{static_clock{}, database, places},
        [&](auto token) { return held[attempts++].async_wait(std::move(token)); },
        net::bind_executor(io.get_executor(), [&](error_code) { was_called = true; }));
    io.poll();
    static_clock::advance(40ms);
    io.restart();
    if (how > 0) io.poll();
    if (how > 1) held[0].lose();
  }
  CHECK(!was_called);
  CHECK(places.snapshot().in_flight == 0);
}

TEST_CASE("a signal does not reach a hedged call that was lost", "[asio][Y12][Y19]") {
  world w;
  w.start();
  w.held[0].lose();
  w.signal.emit(net::cancellation_type::terminal);  // with a link to the call: a use after free
  w.run_ready();
  CHECK_FALSE(w.seen);
}

TEST_CASE("a hedged call that is cancelled before its start makes no attempt", "[asio][Y25]") {
  world w;
  brownout::async_hedge(
      w.hedging, pipeline{static_clock{}, w.database, w.places},
      [&](auto token) { return w.held[w.attempts++].async_wait(std::move(token)); },
      net::bind_cancellation_slot(
          w.signal.slot(),
          net::bind_executor(w.io.get_executor(), [&](error_code error) { w.seen = error; })));
  w.signal.emit(net::cancellation_type::terminal);
  w.run_ready();
  CHECK(w.attempts == 0);
  CHECK(w.seen == net::error::operation_aborted);
}

TEST_CASE("a delay that passed before a failure was handled starts no attempt beside its own",
          "[asio][Hd2]") {
  world w{2};
  w.start();
  w.held[0].end(reset);
  w.pass(40ms);  // the failure is handled first, and then the delay
  CHECK(w.attempts == 2);
  w.pass(39ms);
  CHECK(w.attempts == 2);
  w.pass(1ms);
  CHECK(w.attempts == 3);
}

TEST_CASE("attempts of a hedged call may end within their cancellation", "[asio][Y19]") {
  world w;
  for (auto& one : w.held) one.is_prompt = true;
  w.start();
  w.pass(40ms);
  REQUIRE(w.attempts == 2);
  SECTION("by the caller") {
    net::post(w.io, [&] { w.signal.emit(net::cancellation_type::terminal); });
    w.run_ready();
    CHECK(w.seen == net::error::operation_aborted);
  }
  SECTION("by the success of another") {
    net::post(w.io, [&] { w.held[1].end(); });
    w.run_ready();
    CHECK(w.seen == error_code{});
  }
  CHECK(w.places.snapshot().in_flight == 0);
}

TEST_CASE("an attempt that cannot start leaves the handler alone until the others have ended",
          "[asio][Y10][Y19]") {
  world w;
  auto buffer = std::make_shared<int>();
  const std::weak_ptr<int> watched = buffer;
  const auto operation = [&](auto token) {
    if (w.attempts == 1) throw std::runtime_error{"no descriptor left"};
    return w.held[w.attempts++].async_wait(std::move(token));
  };
  brownout::async_hedge(w.hedging, pipeline{static_clock{}, w.database, w.places}, operation,
                        net::bind_executor(w.io.get_executor(), [&w, kept = std::move(buffer)](
                                                                    error_code error) { w.seen = error; }));
  w.run_ready();
  static_clock::advance(40ms);
  w.io.restart();
  CHECK_THROWS_WITH(w.io.poll(), "no descriptor left");
  CHECK_FALSE(watched.expired());  // the first attempt may still write to it
  w.pass(1h);
  CHECK(w.attempts == 1);
  w.end(0);
  CHECK(watched.expired());
  CHECK_FALSE(w.seen);
  CHECK(w.places.snapshot().in_flight == 0);
}

TEST_CASE("a hedged call has no memory of its handler left when that is called", "[asio][Y5][Y19]") {
  world w;
  int taken = 0;
  std::optional<int> left;
  const auto operation = [&](auto token) { return w.held[w.attempts++].async_wait(std::move(token)); };
  const auto handler = net::bind_cancellation_slot(
      w.signal.slot(), net::bind_executor(w.io.get_executor(), [&](error_code) { left = taken; }));
  brownout::async_hedge(w.hedging, pipeline{static_clock{}, w.database, brownout::timeout{.limit = 1s}},
                        operation, net::bind_allocator(asio_test::counted_memory<void>{taken}, handler));
  w.run_ready();
  CHECK(taken > 0);
  SECTION("after one attempt") {}
  SECTION("after two") {
    w.pass(40ms);
    CHECK(w.attempts == 2);
  }
  SECTION("after a cancellation within which its attempts end") {
    for (auto& one : w.held) one.is_prompt = true;
    w.pass(40ms);
    net::post(w.io, [&] { w.signal.emit(net::cancellation_type::terminal); });
    w.run_ready();
  }
  w.end(0);
  if (w.attempts == 2) w.end(1, net::error::operation_aborted);
  CHECK(left == 0);
}

TEST_CASE("an attempt may end a hedged call before the function that starts it returns", "[asio][Y13][Y19]") {
  world w;
  std::string after;
  brownout::async_hedge(
      w.hedging, pipeline{static_clock{}, w.database},
      [&, text = std::string(100, 'x')](auto token) {
        return net::async_initiate<decltype(token), void(error_code)>(
            [&](auto handler) {
              std::move(handler)(error_code{});
              after = text;  // with the function destroyed by the end of the call: a use after free
            },
            token);
      },
      net::bind_executor(w.io.get_executor(), [&](error_code error) { w.seen = error; }));
  w.run_ready();
  CHECK(w.seen == error_code{});
  CHECK(after.size() == 100);
}

TEST_CASE("a hedged call may be told the signature of its operation", "[asio][Y2][Y19]") {
  world on;
  const auto attempt = [&](const brownout::call_context&, auto handler) {  // it tells no signature
    net::post(on.io, [done = std::move(handler)]() mutable { std::move(done)(error_code{}, 7); });
  };
  const pipeline through{static_clock{}, on.database};
  int answer = 0;
  auto handler = net::bind_executor(on.io.get_executor(), [&](error_code, int value) { answer += value; });
  brownout::async_hedge_as<void(error_code, int)>(on.hedging, through, attempt, handler);
  brownout::async_hedge_as<void(error_code, int)>(on.hedging, through, attempt, handler,
                                                  brownout::ignore_if([](int value) { return value == 7; }));
  on.run_ready();
  CHECK(answer == 14);
  CHECK(on.hedging.snapshot().calls == 2);
}
