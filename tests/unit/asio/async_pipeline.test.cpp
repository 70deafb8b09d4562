// SPDX-License-Identifier: BSL-1.0
#include "brownout/asio/async_pipeline.hpp"
#include "brownout/asio/async_call.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"
#include "catch2.hpp"
#include "unit/asio/counted_memory.hpp"
#include "unit/asio/operations.hpp"
#include "unit/asio/static_clock.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using asio_test::async_answer;
using asio_test::error_code;
using asio_test::held_operation;
using asio_test::static_clock;
using brownout::bulkhead;
using brownout::call_context;
using brownout::call_report;
using brownout::circuit_state;
using brownout::consecutive_failures;
using brownout::errc;
using brownout::fallback;
using brownout::pipeline;
using brownout::retry;
using brownout::retry_budget;
using brownout::timeout;
namespace net = boost::asio;

namespace {

using breaker = brownout::circuit_breaker<consecutive_failures, static_clock>;

struct world {
  breaker database{consecutive_failures{3}, {.name = "database", .open_for = 20s}};
  bulkhead<> places{{.name = "places", .limit = 2}};
  retry_budget budget{{.least = 100}};
  net::io_context io{1};
  held_operation held{io};
  net::cancellation_signal signal;
  std::optional<error_code> seen;
  call_report report;

  [[nodiscard]] retry policy(std::uint32_t tries = 3) {
    return {.tries = tries, .budget = &budget, .idempotent = true, .base = 100ms, .cap = 100ms};
  }

  /// Starts the held operation through a pipeline.
  template <class P>
  void start(const P& through) {
    brownout::async_call(
        through, [this](const call_context&, auto token) { return held.async_wait(std::move(token)); },
        net::bind_cancellation_slot(
            signal.slot(), net::bind_executor(io.get_executor(), [this](error_code error) { seen = error; })),
        {.report = &report});
    run_ready();
  }
  void run_ready() {
    io.restart();
    io.poll();
  }
  void end(error_code with = {}) {
    held.end(with);
    run_ready();
  }
  void pass(brownout::duration by) {
    static_clock::advance(by);
    run_ready();
  }
};

const error_code reset = net::error::connection_reset;

}  // namespace

/// A program with types of its own, and with functions for them whose names the library has too.
namespace a_program {

template <class... A>
void async_call(A&&...) = delete;
template <class... A>
void complete_later(A&&...) = delete;
template <class... A>
void is_error(A&&...) = delete;
template <class... A>
void judge(A&&...) = delete;
template <class... A>
void settle(A&&...) = delete;
template <class... A>
void start_with(A&&...) = delete;

struct row {
  int number = 0;
};
struct row_classifier {
  brownout::outcome operator()(const row& given) const {
    return given.number == 0 ? brownout::outcome::failure : brownout::outcome::success;
  }
};
struct load {
  net::io_context& io;
  template <class Token>
  auto operator()(Token&& token) const {
    return async_answer(io.get_executor(), std::forward<Token>(token), error_code{}, row{7});
  }
};
struct row_handler {
  int* number;
  void operator()(error_code /*error*/, const row& given) const { *number = given.number; }
};

}  // namespace a_program

TEST_CASE("no function of the user of an asynchronous call is taken for one of the library", "[asio]") {
  world on;
  int number = 0;
  auto handler = net::bind_executor(on.io.get_executor(), a_program::row_handler{&number});
  SECTION("through a pipeline") {
    brownout::async_call(pipeline{static_clock{}, on.policy(), on.database}, a_program::load{on.io}, handler,
                         a_program::row_classifier{});
  }
  SECTION("with a breaker") {
    brownout::async_call_as<void(error_code, a_program::row)>(on.database, a_program::load{on.io}, handler,
                                                              a_program::row_classifier{});
  }
  on.run_ready();
  CHECK(number == 7);
}

TEST_CASE("an operation goes through the guards of a pipeline", "[asio][Y21]") {
  world on;
  on.start(pipeline{static_clock{}, on.database, on.places});
  CHECK(on.held.started == 1);
  CHECK(on.places.snapshot().in_flight == 1);
  CHECK(!on.seen);
  SECTION("to a success") {
    on.end();
    CHECK(on.seen == error_code{});
    CHECK(on.database.snapshot().failed_results == 0);
  }
  SECTION("to a failure") {
    on.end(reset);
    CHECK(on.seen == reset);
    CHECK(on.database.snapshot().failed_results == 1);
  }
  SECTION("and is lost") {
    on.held.lose();
    CHECK(!on.seen);
    CHECK(on.database.snapshot().failed_results == 0);
  }
  CHECK(on.places.snapshot().in_flight == 0);
}

TEST_CASE("a guard of a pipeline refuses before the operation is started", "[asio][Y21]") {
  world on;
  SECTION("the breaker, and no place is taken") {
    on.database.force_open();
    on.start(pipeline{static_clock{}, on.database, on.places});
    CHECK(on.seen == errc::circuit_open);
  }
  SECTION("the bulkhead, and the breaker counts nothing") {
    const auto one = on.places.try_acquire();
    const auto two = on.places.try_acquire();
    on.start(pipeline{static_clock{}, on.database, on.places});
    CHECK(on.seen == errc::bulkhead_full);
    CHECK(on.database.snapshot().failed_results == 0);
  }
  CHECK(on.held.started == 0);
  CHECK(on.places.snapshot().in_flight == 0);
}

TEST_CASE("a refusal of a pipeline never completes within the call", "[asio][Y3]") {
  world on;
  on.database.force_open();
  const pipeline guarded{static_clock{}, on.database};
  std::optional<error_code> seen;
  net::post(on.io, [&] {
    brownout::async_call(guarded, on.held.async_wait(net::deferred),
                         net::bind_executor(on.io.get_executor(), [&](error_code error) { seen = error; }));
    CHECK(!seen);
  });
  on.io.run();
  CHECK(seen == errc::circuit_open);
}

TEST_CASE("a retry of an asynchronous call waits by a timer", "[asio][Y18]") {
  world on;
  on.start(pipeline{static_clock{}, on.policy(), on.database, on.places});
  on.end(reset);
  CHECK(!on.seen);
  CHECK(on.places.snapshot().in_flight == 0);  // held in no wait
  on.pass(49ms);
  CHECK(on.held.started == 1);
  on.pass(51ms);
  CHECK(on.held.started == 2);
  SECTION("until an attempt succeeds") {
    on.end();
    CHECK(on.seen == error_code{});
    CHECK(on.report.attempts == 2);
    CHECK(on.report.waited >= 50ms);
  }
  SECTION("until no try is left") {
    on.end(reset);
    on.pass(100ms);
    CHECK(on.held.started == 3);
    on.end(reset);
    CHECK(on.seen == reset);
    CHECK(on.database.snapshot().state == circuit_state::open);
  }
}

TEST_CASE("a refusal in a pipeline is retried after its retry_after", "[asio][Y18]") {
  world on;
  brownout::breaker_options options{.name = "short", .open_for = 100ms};
  breaker database{consecutive_failures{1}, options};
  const pipeline guarded{static_clock{}, on.policy(), database};
  database.trip("test");
  on.start(guarded);
  CHECK(on.held.started == 0);
  on.pass(200ms);
  CHECK(on.held.started == 1);
  CHECK(on.report.attempts == 1);
  on.end();
  CHECK(on.seen == error_code{});
  CHECK(on.report.refused->reason == brownout::rejection_reason::circuit_open);
}

TEST_CASE("no retry waits beyond the deadline of an asynchronous call", "[asio][Y18]") {
  world on;
  on.start(pipeline{static_clock{}, timeout{.limit = 50ms}, on.policy(), on.database});
  on.end(reset);
  CHECK(on.seen == reset);
  CHECK(on.held.started == 1);
}

TEST_CASE("a cancellation ends the wait of a retry", "[asio][Y18]") {
  world on;
  on.start(pipeline{static_clock{}, on.policy(), on.database});
  SECTION("during the wait") {
    on.end(reset);
    on.signal.emit(net::cancellation_type::partial);
    on.run_ready();
    CHECK(on.seen == net::error::operation_aborted);
    CHECK(on.held.started == 1);
  }
  SECTION("when the wait is over and its handler queued") {
    on.end(reset);
    static_clock::advance(100ms);
    net::post(on.io, [&] { on.signal.emit(net::cancellation_type::terminal); });
    on.run_ready();
    on.run_ready();
    // Either the signal or the timer came first. The attempt, if it was started, was cancelled.
    CHECK(on.seen == net::error::operation_aborted);
    CHECK(on.database.snapshot().failed_results == 1);
  }
  SECTION("when the operation has failed and its handler is queued") {
    on.held.end(reset);
    on.signal.emit(net::cancellation_type::terminal);
    on.run_ready();
    CHECK(on.seen == reset);
    CHECK(on.held.started == 1);
    CHECK(on.database.snapshot().failed_results == 0);
  }
  SECTION("during an attempt") {
    on.signal.emit(net::cancellation_type::total);
    CHECK(on.held.seen == net::cancellation_type::total);
    on.run_ready();
    CHECK(on.seen == net::error::operation_aborted);
    CHECK(on.database.snapshot().failed_results == 0);
  }
}

TEST_CASE("a cancellation before the call is started on its executor", "[asio][Y18]") {
  world on;
  const pipeline guarded{static_clock{}, on.database};
  std::optional<error_code> seen;
  brownout::async_call(guarded, on.held.async_wait(net::deferred),
                       net::bind_cancellation_slot(
                           on.signal.slot(), net::bind_executor(on.io.get_executor(),
                                                                [&](error_code error) { seen = error; })));
  on.signal.emit(net::cancellation_type::terminal);
  on.run_ready();
  CHECK(seen == net::error::operation_aborted);
  CHECK(on.held.started == 0);
}

TEST_CASE("at the deadline in a pipeline the breaker counts a failure at once", "[asio][Y14]") {
  world on;
  on.held.is_deaf = true;
  on.start(pipeline{static_clock{}, on.database, on.places, timeout{.limit = 1s}});
  on.pass(999ms);
  CHECK(on.database.snapshot().failed_results == 0);
  on.pass(1ms);
  CHECK(on.database.snapshot().failed_results == 1);
  CHECK(on.held.seen == net::cancellation_type::terminal);
  CHECK(!on.seen);
  CHECK(on.places.snapshot().in_flight == 1);  // the work goes on
  SECTION("the caller is told when the operation has ended") {
    on.end(net::error::operation_aborted);
    CHECK(on.seen == errc::timed_out);
  }
  SECTION("a late success is delivered") {
    on.end();
    CHECK(on.seen == error_code{});
    CHECK(on.report.late);
  }
  CHECK(on.database.snapshot().failed_results == 1);
  CHECK(on.places.snapshot().in_flight == 0);
}

TEST_CASE("a breaker inside of a time-out learns the end of the operation", "[asio][Y14]") {
  world on;
  on.held.is_deaf = true;
  on.start(pipeline{static_clock{}, timeout{.limit = 1s}, on.database});
  on.pass(1s);
  CHECK(on.database.snapshot().failed_results == 0);
  on.end(net::error::operation_aborted);
  CHECK(on.seen == errc::timed_out);
  CHECK(on.database.snapshot().failed_results == 1);
}

TEST_CASE("an attempt that timed out is tried again when it has ended", "[asio][Y14][Y18]") {
  world on;
  on.start(pipeline{static_clock{}, timeout{.limit = 10s}, on.policy(), on.database, timeout{.limit = 1s}});
  on.pass(1s);
  CHECK(on.held.seen == net::cancellation_type::terminal);
  on.pass(100ms);
  CHECK(on.held.started == 2);
  SECTION("with a deadline of its own") {
    on.pass(999ms);
    CHECK(on.database.snapshot().failed_results == 1);
    on.end();
    CHECK(on.seen == error_code{});
    CHECK(!on.report.late);
  }
  SECTION("and the last one is told") {
    on.pass(1s);
    on.pass(100ms);
    CHECK(on.held.started == 3);
    on.pass(1s);
    CHECK(on.seen == errc::timed_out);
    CHECK(on.database.snapshot().failed_results == 3);
  }
}

TEST_CASE("an operation that fails before its deadline ends the call at once", "[asio][Y14][defect]") {
  world on;
  on.start(pipeline{static_clock{}, on.database, timeout{.limit = 1s}});
  on.end(reset);
  CHECK(on.seen == reset);
  on.io.restart();
  on.io.run();  // no timer keeps it busy
}

TEST_CASE("a late value can be discarded", "[asio][Y14]") {
  world on;
  on.held.is_deaf = true;
  on.start(pipeline{static_clock{}, timeout{.limit = 1s, .late = brownout::late_value::discard}});
  on.pass(1s);
  on.end();
  CHECK(on.seen == errc::timed_out);
}

TEST_CASE("a fallback answers for an asynchronous call", "[asio]") {
  world on;
  const auto executor = on.io.get_executor();
  std::optional<error_code> error;
  int value = 0;
  const auto ask = [&](const auto& guarded, error_code with, int answer) {
    brownout::async_call(guarded,
                         [&](auto token) { return async_answer(executor, std::move(token), with, answer); },
                         net::bind_executor(executor,
                                            [&](error_code seen, int given) {
                                              error = seen;
                                              value = given;
                                            }),
                         {.report = &on.report});
    on.run_ready();
  };
  SECTION("a value") {
    ask(pipeline{static_clock{}, fallback{7}, on.database}, reset, 1);
    CHECK(error == error_code{});
    CHECK(value == 7);
    CHECK(on.report.ended_by == brownout::guard_kind::fallback);
    CHECK(on.database.snapshot().failed_results == 1);
  }
  SECTION("a function that throws: the first error stays") {
    ask(pipeline{static_clock{}, fallback{[]() -> int { throw std::runtime_error{"none"}; }}}, reset, 1);
    CHECK(error == reset);
  }
  SECTION("the last good answer") {
    const pipeline guarded{static_clock{}, fallback{brownout::last_good{.max_age = 1min}}, on.database};
    ask(guarded, {}, 42);
    CHECK(value == 42);
    static_clock::advance(10s);
    ask(guarded, reset, 1);
    CHECK(error == error_code{});
    CHECK(value == 42);
    CHECK(on.report.age == 10s);
    static_clock::advance(51s);
    ask(guarded, reset, 1);
    CHECK(error == reset);
  }
  SECTION("for a circuit that is open") {
    on.database.force_open();
    ask(pipeline{static_clock{}, fallback{7}, on.database}, {}, 1);
    CHECK(value == 7);
  }
}

TEST_CASE("the last good answer of an asynchronous call may hold a list of its own kind", "[asio]") {
  // As the values of JSON libraries: with braces, a copy would be a list of one.
  struct json {
    json() = default;
    explicit json(int given) : number{given} {}
    json(std::initializer_list<json> given) : list(given) {}
    int number = 0;
    std::vector<json> list{};
  };
  world on;
  const auto executor = on.io.get_executor();
  const pipeline guarded{static_clock{}, fallback{brownout::last_good{.max_age = 1min}}};
  json value;
  const auto ask = [&](error_code with, int answer) {
    brownout::async_call(
        guarded, [&](auto token) { return async_answer(executor, std::move(token), with, json(answer)); },
        net::bind_executor(executor, [&](error_code, const json& given) { value = given; }));
    on.run_ready();
  };
  ask({}, 42);
  ask(reset, 1);
  CHECK(value.number == 42);
  CHECK(value.list.empty());
}

TEST_CASE("a pipeline in a pipeline is asynchronous too", "[asio]") {
  world on;
  const pipeline inner{on.database, on.places};
  on.start(pipeline{static_clock{}, on.policy(), inner});
  CHECK(on.places.snapshot().in_flight == 1);
  on.end(reset);
  on.pass(100ms);
  on.end();
  CHECK(on.seen == error_code{});
  CHECK(on.held.started == 2);
}

TEST_CASE("async_try_call through a pipeline completes with a result", "[asio][Y2]") {
  world on;
  on.database.force_open();
  const pipeline guarded{static_clock{}, on.database};
  std::optional<brownout::rejection> why;
  brownout::async_try_call(
      guarded, [&](auto token) { return on.held.async_wait(std::move(token)); },
      net::bind_executor(on.io.get_executor(),
                         [&](brownout::result<std::tuple<error_code>> answer) { why = answer.rejection(); }));
  on.run_ready();
  CHECK(why->reason == brownout::rejection_reason::forced_open);
  CHECK(why->guard == "database");
}

TEST_CASE("a rejection by a time-out does not refer to the call, which has ended", "[asio][Y14]") {
  world on;
  const pipeline guarded{static_clock{}, on.policy(1),
                         timeout{.name = "a name that is too long for a small string", .limit = 50ms}};
  std::optional<brownout::rejection> why;
  brownout::async_try_call(
      guarded, [&](auto token) { return on.held.async_wait(std::move(token)); },
      net::bind_executor(on.io.get_executor(),
                         [&](brownout::result<std::tuple<error_code>> answer) { why = answer.rejection(); }),
      {.report = &on.report});
  on.run_ready();
  on.pass(50ms);
  REQUIRE(why);
  CHECK(why->reason == brownout::rejection_reason::timed_out);
  CHECK(why->guard.empty());
  CHECK(on.report.refused->guard.empty());
}

TEST_CASE("the context of an attempt is valid until its operation has ended", "[asio]") {
  world on;
  const call_context* given = nullptr;  // as a coroutine has that takes it by reference
  const auto begin = [&](const auto& guarded) {
    brownout::async_call(guarded,
                         [&](const call_context& call, auto token) {
                           given = &call;
                           return on.held.async_wait(std::move(token));
                         },
                         net::bind_executor(on.io.get_executor(), [&](error_code error) { on.seen = error; }),
                         {.caller = 42});
    on.run_ready();
  };
  SECTION("with a retry") {
    begin(pipeline{static_clock{}, on.policy(2)});
    CHECK(given->caller == 42);
    CHECK(given->attempt == 1);
    on.end(reset);
    on.pass(100ms);
    CHECK(given->caller == 42);
    CHECK(given->attempt == 2);
  }
  SECTION("without one") {
    begin(pipeline{static_clock{}, on.database});
    CHECK(given->caller == 42);
    CHECK(given->attempt == 1);
  }
  on.end();
  CHECK(on.seen == error_code{});
}

TEST_CASE("wherever a call through a pipeline is abandoned, its permits go back", "[asio][Y10]") {
  const auto steps = GENERATE(range(0, 8));
  breaker database{consecutive_failures{1}, {.name = "database", .open_for = 20s}};
  bulkhead<> places{{.name = "places", .limit = 2}};
  retry_budget budget{{.least = 100}};
  const auto before = budget.snapshot().tokens;
  bool was_called = false;
  {
    net::io_context io{1};
    held_operation held{io};
    const pipeline guarded{static_clock{}, timeout{.limit = 5s},
                           retry{.budget = &budget, .idempotent = true, .base = 100ms, .cap = 100ms}, places,
                           timeout{.limit = 1s}};
    brownout::async_call(
        guarded, [&](auto token) { return held.async_wait(std::move(token)); },
        net::bind_executor(io.get_executor(), [&](error_code) { was_called = true; }));
    for (int i = 0; i < steps; ++i) {
      io.restart();
      if (io.poll_one() == 0) held.end(reset);
      if (i == 4) static_clock::advance(100ms);
    }
    was_called = false;
  }
  CHECK(!was_called);
  CHECK(places.snapshot().in_flight == 0);
  CHECK(budget.snapshot().tokens <= before);
}

TEST_CASE("an initiation that throws gives the permits of a pipeline back", "[asio][Y10]") {
  world on;
  const pipeline guarded{static_clock{}, on.database, on.places, timeout{.limit = 1s}};
  brownout::async_call_as<void(error_code)>(
      guarded, [](auto) { throw std::runtime_error{"no descriptor"}; },
      net::bind_executor(on.io.get_executor(), [&](error_code error) { on.seen = error; }));
  CHECK_THROWS_AS(on.io.run(), std::runtime_error);
  CHECK(!on.seen);
  CHECK(on.places.snapshot().in_flight == 0);
  CHECK(on.database.snapshot().failed_results == 0);
}

TEST_CASE("a handler without an executor is recognised by public traits", "[asio][Y4]") {
  const auto plain = [](error_code) {};
  const auto bound = net::bind_executor(net::io_context{}.get_executor(), plain);
  STATIC_REQUIRE(!brownout::detail::has_executor<std::remove_const_t<decltype(plain)>>);
  STATIC_REQUIRE(brownout::detail::has_executor<std::remove_const_t<decltype(bound)>>);
}

TEST_CASE("operation, handler and values of an asynchronous call may be move-only", "[asio][Y13]") {
  world on;
  const auto executor = on.io.get_executor();
  std::unique_ptr<int> seen;
  const auto call = [&](auto& through) {
    brownout::async_call_as<void(error_code, std::unique_ptr<int>)>(
        through,
        [executor, owned = std::make_unique<int>(7)](auto token) mutable {
          return async_answer(executor, std::move(token), error_code{}, std::move(owned));
        },
        net::bind_executor(executor,
                           [&seen, owned = std::make_unique<int>(1)](error_code, std::unique_ptr<int> value) {
                             seen = std::move(value);
                           }));
    on.run_ready();
  };
  SECTION("through a breaker") {
    call(on.database);
  }
  SECTION("through a pipeline") {
    const pipeline guarded{static_clock{}, on.database, on.places, timeout{.limit = 1s}};
    call(guarded);
  }
  REQUIRE(seen != nullptr);
  CHECK(*seen == 7);
}

TEST_CASE("a signal does not reach a call through a pipeline that was lost", "[asio][Y12]") {
  world on;
  on.start(pipeline{static_clock{}, on.database});
  on.held.lose();
  on.signal.emit(net::cancellation_type::terminal);  // with a link to the call: a use after free
  on.run_ready();
  CHECK_FALSE(on.seen);
}

TEST_CASE("a signal does not reach the operation of a call with a time-out that was lost", "[asio][Y12]") {
  world on;
  auto lost = std::make_unique<held_operation>(on.io);
  brownout::async_call(pipeline{static_clock{}, on.database, timeout{.limit = 1s}},
                       lost->async_wait(net::deferred),
                       net::bind_cancellation_slot(
                           on.signal.slot(), net::bind_executor(on.io.get_executor(), [](error_code) {})));
  on.run_ready();
  lost.reset();
  on.signal.emit(net::cancellation_type::terminal);  // with a link to the operation: a use after free
  on.run_ready();
  CHECK(on.database.snapshot().failed_results == 0);
}

TEST_CASE("a call through a pipeline and its signal may end in either order", "[asio][Y12]") {
  std::optional<net::io_context> io{std::in_place, 1};
  std::optional<net::cancellation_signal> signal{std::in_place};
  breaker database{consecutive_failures{3}, {}};
  held_operation held{*io};
  brownout::async_call(
      pipeline{static_clock{}, database}, held.async_wait(net::deferred),
      net::bind_cancellation_slot(signal->slot(), net::bind_executor(io->get_executor(), [](error_code) {})));
  SECTION("first the signal") {
    signal.reset();
  }
  SECTION("first the call") {}
  io.reset();
  if (signal) signal->emit(net::cancellation_type::terminal);
  CHECK(held.started == 0);
}

TEST_CASE("a signal of no type does not cancel a call through a pipeline", "[asio][Y7]") {
  world on;
  on.held.is_deaf = true;
  on.start(pipeline{static_clock{}, on.database});
  on.signal.emit(net::cancellation_type::none);
  on.end(reset);
  CHECK(on.database.snapshot().consecutive_failures == 1);
}

TEST_CASE("no retry waits after a cancellation, whatever the classifier says", "[asio][Y18]") {
  world on;
  on.held.is_deaf = true;
  brownout::async_call(
      pipeline{static_clock{}, on.policy(), on.database},
      [&](auto token) { return on.held.async_wait(std::move(token)); },
      net::bind_cancellation_slot(
          on.signal.slot(),
          net::bind_executor(on.io.get_executor(), [&](error_code error) { on.seen = error; })),
      [](error_code) { return brownout::outcome::failure; });
  on.run_ready();
  on.signal.emit(net::cancellation_type::terminal);
  on.end();
  CHECK(on.seen == error_code{});
  on.pass(1s);
  CHECK(on.held.started == 1);
}

TEST_CASE("an operation may end its call before the function that starts it returns", "[asio][Y13]") {
  world on;
  std::string after;
  const auto operation = [&, text = std::string(100, 'x')](auto handler) {
    std::move(handler)(++on.held.started == 1 ? reset : error_code{});
    after = text;  // with the function destroyed by the end of the call: a use after free
  };
  auto done = net::bind_executor(on.io.get_executor(), [&](error_code error) { on.seen = error; });
  SECTION("once") {
    brownout::async_call_as<void(error_code)>(pipeline{static_clock{}, on.database}, operation, done);
    on.run_ready();
    CHECK(on.seen == reset);
  }
  SECTION("in a retry") {
    brownout::async_call_as<void(error_code)>(pipeline{static_clock{}, on.policy()}, operation, done);
    on.run_ready();
    on.pass(1s);
    CHECK(on.seen == error_code{});
  }
  CHECK(after.size() == 100);
}

TEST_CASE("an operation may end within its cancellation", "[asio][Y14][Y18]") {
  world on;
  on.held.is_prompt = true;
  on.start(pipeline{static_clock{}, timeout{.limit = 1s}, on.database});
  SECTION("by the caller") {
    net::post(on.io, [&] { on.signal.emit(net::cancellation_type::terminal); });
    on.run_ready();
    CHECK(on.seen == net::error::operation_aborted);
  }
  SECTION("at the deadline") {
    on.pass(1s);
    CHECK(on.seen == errc::timed_out);
  }
}

TEST_CASE("a fallback may throw what is no std::exception", "[asio]") {
  world on;
  const auto throwing = []() -> int { throw 42; };
  brownout::async_call(
      pipeline{static_clock{}, fallback{throwing}, on.database},
      [&](auto token) { return async_answer(on.io.get_executor(), std::move(token), reset, 1); },
      net::bind_executor(on.io.get_executor(), [&](error_code error, int) { on.seen = error; }));
  CHECK_NOTHROW(on.run_ready());
  CHECK(on.seen == reset);
}

TEST_CASE("the deadline of the caller ends a call that has no time-out as timed out", "[asio][Y14]") {
  world on;
  const auto start = [&](brownout::outcome judged) {
    brownout::async_call(pipeline{static_clock{}, on.database}, on.held.async_wait(net::deferred),
                         net::bind_executor(on.io.get_executor(), [&](error_code error) { on.seen = error; }),
                         {.deadline = static_clock{}.now() + 1s, .report = &on.report},
                         [judged](error_code) { return judged; });
    on.run_ready();
    on.pass(1s);
    CHECK(on.seen == errc::timed_out);
    REQUIRE(on.report.refused);
    CHECK(on.report.refused->began);
  };
  SECTION("a failure") {
    start(brownout::outcome::failure);
    CHECK(on.database.snapshot().consecutive_failures == 1);
  }
  SECTION("none, because the classifier says so") {
    start(brownout::outcome::ignored);
    CHECK(on.database.snapshot().consecutive_failures == 0);
  }
}

TEST_CASE("a call through a pipeline has no memory of its handler left when that is called", "[asio][Y5]") {
  world on;
  int taken = 0;
  std::optional<int> left;
  const auto start = [&](const auto& through, const call_context& given = {}) {
    const auto handler = net::bind_executor(on.io.get_executor(), [&](error_code) { left = taken; });
    brownout::async_call(
        through, [&](const call_context&, auto token) { return on.held.async_wait(std::move(token)); },
        net::bind_allocator(asio_test::counted_memory<void>{taken}, handler), given);
    on.run_ready();
    CHECK(taken > 0);
  };
  SECTION("without a time-out") {
    start(pipeline{static_clock{}, on.database});
    on.end();
  }
  SECTION("with a time-out") {
    start(pipeline{static_clock{}, on.database, timeout{.limit = 1s}});
    on.end();
  }
  SECTION("with a time-out that has passed") {
    on.held.is_deaf = true;
    start(pipeline{static_clock{}, on.database, timeout{.limit = 1s}});
    on.pass(1s);
    CHECK(!left);
    on.end();
  }
  SECTION("with a deadline of the caller") {
    start(pipeline{static_clock{}, on.database}, {.deadline = static_clock{}.now() + 1s});
    on.end();
  }
  SECTION("after the wait of a retry") {
    start(pipeline{static_clock{}, timeout{.limit = 1s}, on.policy(), on.database});
    on.end(reset);
    on.pass(100ms);
    on.end();
  }
  CHECK(left == 0);
}
