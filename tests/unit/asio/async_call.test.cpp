// SPDX-License-Identifier: BSL-1.0
#include "brownout/asio/async_call.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/registry/keyed_breaker.hpp"
#include "brownout/registry/registry.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "catch2.hpp"
#include "unit/asio/operations.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

using namespace std::chrono_literals;
using asio_test::async_answer;
using asio_test::error_code;
using asio_test::held_operation;
using brownout::circuit_state;
using brownout::consecutive_failures;
using brownout::disposition;
using brownout::errc;
using brownout::manual_clock;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;
namespace net = boost::asio;

namespace {

using breaker = brownout::circuit_breaker<consecutive_failures, manual_clock>;

/// A breaker that the first failure opens, and a context of one thread.
struct world {
  manual_clock clock;
  breaker database{consecutive_failures{1}, {.name = "database", .open_for = 20s}, clock};
  net::io_context io{1};
  net::cancellation_signal signal;

  /// An operation that fails, and so opens the circuit.
  auto refused_connection() {
    return async_answer(io.get_executor(), net::deferred, net::error::connection_refused, 0);
  }
  auto answer(int value) { return async_answer(io.get_executor(), net::deferred, error_code{}, value); }

  template <class Handler>
  auto on_io(Handler handler) {
    return net::bind_executor(io.get_executor(), std::move(handler));
  }
  template <class Handler>
  auto cancellable(Handler handler) {
    return net::bind_cancellation_slot(signal.slot(), on_io(std::move(handler)));
  }
  template <class Coroutine>
  void run(Coroutine coroutine) {
    std::exception_ptr thrown;
    net::co_spawn(io, std::move(coroutine), [&](std::exception_ptr seen) { thrown = seen; });
    io.run();
    if (thrown) std::rethrow_exception(thrown);
  }
  [[nodiscard]] circuit_state state() const { return database.observed_state(); }
};

}  // namespace

TEST_CASE("a deferred call asks for permission when it is started", "[asio][Y1]") {
  world w;
  w.database.force_open();
  int seen = 0;
  auto later = brownout::async_call(w.database, w.answer(7), net::deferred);
  w.database.reset();
  std::move(later)(w.on_io([&](error_code error, int value) { seen = error ? -1 : value; }));
  w.io.run();
  CHECK(seen == 7);
}

TEST_CASE("a call completes as its operation does", "[asio][Y2]") {
  world w;
  w.run([&]() -> net::awaitable<void> {
    CHECK(co_await brownout::async_call(w.database, w.answer(7), net::use_awaitable) == 7);
    const auto [error, value] =
        co_await brownout::async_call(w.database, w.refused_connection(), net::as_tuple(net::use_awaitable));
    CHECK(error == net::error::connection_refused);
    CHECK(w.state() == circuit_state::open);
  });
}

TEST_CASE("a refusal is an error code and default values", "[asio][Y2]") {
  world w;
  w.database.force_open_for(5s);
  w.run([&]() -> net::awaitable<void> {
    rejection why;
    const auto [error, value] = co_await brownout::async_call(
        w.database, w.answer(7), net::as_tuple(net::use_awaitable), {.refused = &why});
    CHECK(error == errc::circuit_open);
    CHECK(error == rejection_reason::forced_open);
    CHECK(error.message() == "circuit held open by an operator");
    CHECK(value == 0);
    CHECK(why.guard == "database");
    CHECK(why.retry_after == 5s);
    CHECK_THROWS_AS(co_await brownout::async_call(w.database, w.answer(7), net::use_awaitable),
                    boost::system::system_error);
  });
}

TEST_CASE("a refusal is an exception where the completion has one", "[asio][Y2]") {
  world w;
  const auto query = [](bool fails) -> net::awaitable<int> {
    if (fails) throw std::runtime_error{"no route"};
    co_return 5;
  };
  w.run([&]() -> net::awaitable<void> {
    const auto call = [&](bool fails) {
      return brownout::async_call(w.database, net::co_spawn(w.io, query(fails), net::deferred),
                                  net::use_awaitable);
    };
    CHECK(co_await call(false) == 5);
    CHECK_THROWS_WITH(co_await call(true), "no route");
    CHECK(w.state() == circuit_state::open);
    CHECK(w.database.snapshot().last_failure.view() == "no route");
    CHECK_THROWS_WITH(co_await call(false),
                      "brownout: call to database rejected: circuit open, retry in 20s");
  });
}

TEST_CASE("a try_call completes with the rejection itself", "[asio][Y2]") {
  world w;
  w.run([&]() -> net::awaitable<void> {
    const auto answered = co_await brownout::async_try_call(w.database, w.answer(7), net::use_awaitable);
    REQUIRE(answered);
    CHECK(std::get<1>(*answered) == 7);
    w.database.force_open();
    const auto refused = co_await brownout::async_try_call(w.database, w.answer(7), net::use_awaitable);
    REQUIRE_FALSE(refused);
    CHECK(refused.rejection().reason == rejection_reason::forced_open);
  });
}

TEST_CASE("an operation that is a lambda names its signature", "[asio][Y2]") {
  world w;
  auto seen = brownout::async_call_as<void(error_code, int)>(
      w.database,
      [&](auto handler) { async_answer(w.io.get_executor(), std::move(handler), error_code{}, 9); },
      net::bind_executor(w.io.get_executor(), net::use_future));
  w.io.run();
  CHECK(seen.get() == 9);
}

TEST_CASE("a refusal never completes inside of the call, and starts no operation", "[asio][Y3]") {
  world w;
  held_operation never{w.io};
  w.database.force_open();
  bool completed = false;
  brownout::async_call(w.database, never.async_wait(net::deferred),
                       w.on_io([&](error_code error) { completed = error == errc::circuit_open; }));
  CHECK_FALSE(completed);
  w.io.run();
  CHECK(completed);
  CHECK(never.started == 0);
}

TEST_CASE("what cancels the call reaches the operation, of every kind", "[asio][Y5]") {
  for (const auto asked :
       {net::cancellation_type::total, net::cancellation_type::partial, net::cancellation_type::terminal}) {
    world w;
    held_operation held{w.io};
    brownout::async_call(w.database, held.async_wait(net::deferred), w.cancellable([](error_code) {}));
    w.signal.emit(asked);
    CHECK(held.seen == asked);
  }
}

TEST_CASE("a call is settled before its handler runs", "[asio][Y6]") {
  world w;
  disposition became{};
  auto state_seen = circuit_state::closed;
  brownout::async_call(w.database, w.refused_connection(),
                       w.on_io([&](error_code, int) { state_seen = w.state(); }), {.became = &became});
  w.io.run();
  CHECK(state_seen == circuit_state::open);
  CHECK(became == disposition::counted);
  CHECK(w.database.snapshot().last_failure.view() == "Connection refused");
}

TEST_CASE("a late outcome is said to be late", "[asio][Y6]") {
  world w;
  disposition became{};
  brownout::async_call(w.database, w.refused_connection(), w.on_io([](error_code, int) {}),
                       {.became = &became});
  w.database.reset();
  w.io.run();
  CHECK(became == disposition::late);
  CHECK(w.state() == circuit_state::closed);
}

TEST_CASE("a classifier takes the error, the value or both", "[asio][Y6]") {
  using brownout::failure_if;
  const auto state_after = [](error_code error, int value, const auto& classify) {
    world w;
    brownout::async_call(w.database, async_answer(w.io.get_executor(), net::deferred, error, value),
                         w.on_io([](error_code, int) {}), classify);
    w.io.run();
    return w.state();
  };
  const error_code none;
  const error_code reset = net::error::connection_reset;
  const auto server_error = failure_if([](int status) { return status >= 500; });
  CHECK(state_after(none, 200, server_error) == circuit_state::closed);
  CHECK(state_after(none, 503, server_error) == circuit_state::open);
  CHECK(state_after(reset, 0, server_error) == circuit_state::open);

  const auto not_eof = brownout::ignore_if([](error_code error) { return error == net::error::eof; });
  CHECK(state_after(net::error::eof, 0, not_eof) == circuit_state::closed);
  CHECK(state_after(reset, 0, not_eof) == circuit_state::open);

  const auto both = [](error_code error, int status) {
    return error && status == 0 ? brownout::outcome::failure : brownout::outcome::success;
  };
  CHECK(state_after(reset, 0, both) == circuit_state::open);
  CHECK(state_after(reset, 1, both) == circuit_state::closed);
}

TEST_CASE("the refusal of an inner guard is no evidence for an outer one", "[asio][Y6]") {
  world w;
  breaker outer{consecutive_failures{1}, {.name = "outer"}, w.clock};
  w.database.force_open();
  error_code seen;
  brownout::async_call(outer, brownout::async_call(w.database, w.answer(7), net::deferred),
                       w.on_io([&](error_code error, int) { seen = error; }));
  w.io.run();
  CHECK(seen == errc::circuit_open);
  CHECK(outer.observed_state() == circuit_state::closed);
}

TEST_CASE("a call that the caller cancels counts as nothing", "[asio][Y7]") {
  world w;
  held_operation held{w.io};
  disposition became{};
  error_code seen;
  brownout::async_call(w.database, held.async_wait(net::deferred),
                       w.cancellable([&](error_code error) { seen = error; }), {.became = &became});
  w.signal.emit(net::cancellation_type::terminal);
  w.io.run();
  CHECK(seen == net::error::operation_aborted);
  CHECK(became == disposition::released);
  CHECK(w.state() == circuit_state::closed);
}

TEST_CASE("a cancelled call that succeeds all the same is a success", "[asio][Y7]") {
  world w;
  held_operation held{w.io};
  held.is_deaf = true;
  disposition became{};
  brownout::async_call(w.database, held.async_wait(net::deferred), w.cancellable([](error_code) {}),
                       {.became = &became});
  w.signal.emit(net::cancellation_type::terminal);
  held.end();
  w.io.run();
  CHECK(became == disposition::counted);
}

TEST_CASE("an operation that something else aborts is a failure", "[asio][Y8]") {
  world w;
  held_operation held{w.io};
  brownout::async_call(w.database, held.async_wait(net::deferred), w.cancellable([](error_code) {}));
  held.end(net::error::operation_aborted);
  w.io.run();
  CHECK(w.state() == circuit_state::open);
}

TEST_CASE("a handler that is destroyed gives its place back", "[asio][Y10]") {
  world w;
  w.database.force_open_for(1s);
  w.clock.advance(1s);
  held_operation held{w.io};
  brownout::async_call(w.database, held.async_wait(net::deferred), w.on_io([](error_code) {}));
  REQUIRE(w.state() == circuit_state::half_open);
  held.lose();
  CHECK(w.database.snapshot().probes_in_flight == 0);
}

TEST_CASE("an initiation that throws gives the place back, and nothing is counted", "[asio][Y10]") {
  world w;
  const auto call = [&] {
    brownout::async_call_as<void(error_code)>(
        w.database, [](auto) { throw std::runtime_error{"no descriptor left"}; }, w.on_io([](error_code) {}));
  };
  CHECK_THROWS_WITH(call(), "no descriptor left");
  CHECK(w.state() == circuit_state::closed);
}

TEST_CASE("a shared breaker lives as long as its calls", "[asio][Y11]") {
  world w;
  held_operation held{w.io};
  auto shared = std::make_shared<breaker>(consecutive_failures{1}, brownout::breaker_options{}, w.clock);
  const std::weak_ptr<breaker> watched = shared;
  brownout::async_call(shared, held.async_wait(net::deferred), w.on_io([](error_code) {}));
  shared.reset();
  CHECK_FALSE(watched.expired());
  held.end();
  w.io.run();
  CHECK(watched.expired());
}

TEST_CASE("a shared breaker lives until the handler of a refused call has returned", "[asio][Y11]") {
  world w;
  const std::string name = "connections to the database";
  auto shared =
      std::make_shared<breaker>(consecutive_failures{1}, brownout::breaker_options{.name = name}, w.clock);
  shared->force_open();
  const std::weak_ptr<breaker> watched = shared;
  std::string seen;
  brownout::async_try_call(shared, w.answer(7), w.on_io([&](const result<std::tuple<error_code, int>>& end) {
    seen = end.rejection().guard;  // with the breaker gone: a use after free
  }));
  shared.reset();
  w.io.run();
  CHECK(seen == name);
  CHECK(watched.expired());
}

TEST_CASE("a signal after the end does not reach the operation", "[asio][Y12]") {
  world w;
  auto held = std::make_unique<held_operation>(w.io);
  brownout::async_call(w.database, held->async_wait(net::deferred), w.cancellable([](error_code) {}));
  held->end();
  w.io.run();
  held.reset();
  w.signal.emit(net::cancellation_type::terminal);  // with the slot left as it was: a use after free
}

TEST_CASE("a dependency and a breaker of a registry guard an operation", "[asio]") {
  world w;
  brownout::dependency storage{consecutive_failures{1}, {.name = "storage"}, w.clock};
  brownout::async_call(storage, w.refused_connection(), w.on_io([](error_code, int) {}));
  brownout::registry<consecutive_failures, manual_clock> hosts{{.detector = consecutive_failures{1}},
                                                               w.clock};
  brownout::async_call(hosts.at("host"), w.refused_connection(), w.on_io([](error_code, int) {}));
  w.io.run();
  CHECK(storage.observed_state() == circuit_state::open);
  CHECK_FALSE(hosts.at("host").try_acquire());
}

TEST_CASE("the refusal of an inner guard is no evidence as a std::error_code either", "[asio][Y6]") {
  world w;
  const std::error_code refused = make_error_code(rejection_reason::circuit_open);
  const auto operation = [&](auto handler) { net::post(w.io, net::append(std::move(handler), refused)); };
  brownout::async_call_as<void(std::error_code)>(w.database, operation, w.on_io([](std::error_code) {}));
  w.io.run();
  CHECK(w.state() == circuit_state::closed);
}
