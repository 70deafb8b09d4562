// SPDX-License-Identifier: BSL-1.0
#include "brownout/asio/async_call.hpp"
#include "brownout/asio/async_guard.hpp"
#include "brownout/asio/async_hedge.hpp"
#include "brownout/asio/async_pipeline.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/hedge.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "catch2.hpp"
#include "unit/asio/operations.hpp"
#include "unit/asio/user_token.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <variant>

using asio_test::async_answer;
using asio_test::ended;
using asio_test::error_code;
using brownout::consecutive_failures;
namespace net = boost::asio;

namespace {

using breaker = brownout::circuit_breaker<consecutive_failures>;

/// A call that the breaker admits and whose operation ends with `error`, or one that it refuses.
struct world {
  error_code error{};
  breaker database{consecutive_failures{100}, {.name = "database"}};
  net::io_context io{1};
  brownout::retry_budget budget{{.least = 1'000}};
  brownout::hedge hedging{{.name = "searches", .budget = &budget, .idempotent = true}};

  template <class Executor>
  auto operation(const Executor& executor) {
    return [this, executor](auto token) {
      return async_answer(executor, std::move(token), error, error ? 0 : 7);
    };
  }
  auto operation() { return operation(io.get_executor()); }

  template <class Coroutine>
  void run(Coroutine coroutine) {
    std::exception_ptr thrown;
    net::co_spawn(io, std::move(coroutine), [&](std::exception_ptr seen) { thrown = seen; });
    io.restart();
    io.poll();  // a deadline would keep `run` busy
    if (thrown) std::rethrow_exception(thrown);
  }
};

// How a call ends, as each token tells it. `start` begins a call with a token.

template <class Start>
ended by_callback(world& w, Start start) {
  ended seen;
  auto moved_only = std::make_unique<int>(0);
  start(net::bind_executor(w.io, [&seen, moved_only = std::move(moved_only)](error_code error, int value) {
    seen = {error, value};
  }));
  w.io.restart();
  w.io.poll();
  return seen;
}

/// Trivial: a variable that only holds it looks unused to a compiler.
struct empty_handler {
  using executor_type = net::io_context::executor_type;
  static inline net::io_context* io = nullptr;
  static inline ended seen{};

  [[nodiscard]] executor_type get_executor() const noexcept { return io->get_executor(); }
  void operator()(error_code error, int value) const { seen = {error, value}; }
};

template <class Start>
ended by_empty_handler(world& w, Start start) {
  empty_handler::io = &w.io;
  empty_handler::seen = {};
  start(empty_handler{});
  w.io.restart();
  w.io.poll();
  return empty_handler::seen;
}

template <class Start>
ended by_tuple(world& w, Start start) {
  ended seen;
  w.run([&]() -> net::awaitable<void> {
    const auto [error, value] = co_await start(net::as_tuple(net::use_awaitable));
    seen = {error, value};
  });
  return seen;
}

template <class Start>
ended by_redirected_error(world& w, Start start) {
  ended seen;
  w.run([&]() -> net::awaitable<void> {
    seen.value = co_await start(net::redirect_error(net::use_awaitable, seen.error));
  });
  return seen;
}

template <class Start>
ended by_exception(world& w, Start start) {
  ended seen;
  w.run([&]() -> net::awaitable<void> {
    try {
      seen.value = co_await start(net::use_awaitable);
    } catch (const boost::system::system_error& error) {
      seen.error = error.code();
    }
  });
  return seen;
}

template <class Start>
ended by_future(world& w, Start start) {
  auto future = start(net::bind_executor(w.io, net::use_future));
  w.io.restart();
  w.io.poll();
  try {
    return {{}, future.get()};
  } catch (const boost::system::system_error& error) {
    return {error.code(), 0};
  }
}

template <class Start>
ended by_deferred(world& w, Start start) {
  ended seen;
  w.run([&]() -> net::awaitable<void> {
    auto later = start(net::deferred);
    const auto [error, value] = co_await std::move(later)(net::as_tuple(net::use_awaitable));
    seen = {error, value};
  });
  return seen;
}

template <class Start>
ended by_token_of_a_user(world& w, Start start) {
  const auto place = start(asio_test::into_a_place<net::io_context::executor_type>{w.io.get_executor()});
  w.io.restart();
  w.io.poll();
  return place->value();
}

template <class Start>
ended by_parallel_group(world& w, Start start) {
  ended seen;
  // A group asks its operations for their executor.
  const auto on_io = [&](auto call) { return net::bind_executor(w.io, std::move(call)); };
  w.run([&]() -> net::awaitable<void> {
    const auto [order, first, value, second, other] =
        co_await net::experimental::make_parallel_group(on_io(start(net::deferred)),
                                                        on_io(start(net::deferred)))
            .async_wait(net::experimental::wait_for_all(), net::use_awaitable);
    CHECK((first == second && value == other));
    seen = {first, value};
  });
  return seen;
}

/// Every token tells the same end, and no call stays open.
template <class Start>
void tell_the_same(world& w, Start start, const ended& expected) {
  CHECK(by_callback(w, start) == expected);
  CHECK(by_empty_handler(w, start) == expected);
  CHECK(by_tuple(w, start) == expected);
  CHECK(by_redirected_error(w, start) == expected);
  CHECK(by_exception(w, start) == expected);
  CHECK(by_future(w, start) == expected);
  CHECK(by_deferred(w, start) == expected);
  CHECK(by_token_of_a_user(w, start) == expected);
  CHECK(by_parallel_group(w, start) == expected);
  start(net::bind_executor(w.io, net::detached));
  w.io.restart();
  w.io.poll();
}

/// Answers, failures and refusals. `make` makes what begins a call.
template <class Make>
void tell_every_end_the_same(Make make, std::uint32_t attempts_of_a_failure = 1) {
  constexpr std::uint32_t calls = 11;  // two with the parallel group
  for (const error_code error : {error_code{}, error_code{net::error::connection_refused}}) {
    INFO("operation: " << error.message());
    world w{.error = error};
    tell_the_same(w, make(w), {error, error ? 0 : 7});
    const auto seen = w.database.snapshot();
    CHECK(seen.consecutive_failures == (error ? calls * attempts_of_a_failure : 0));
    CHECK(seen.rejections == 0);
  }
  world w;
  w.database.force_open();
  tell_the_same(w, make(w), {make_error_code(brownout::rejection_reason::forced_open), 0});
  CHECK(w.database.snapshot().rejections == calls);
}

}  // namespace

TEST_CASE("with every token a guarded operation ends as it does by itself", "[asio][Y2][Y3]") {
  tell_every_end_the_same([](world& w) {
    return [&w](auto token) {
      return brownout::async_call(w.database, w.operation()(net::deferred), std::move(token));
    };
  });
}

TEST_CASE("with every token a call through a pipeline ends as its operation does", "[asio][Y2][Y18]") {
  tell_every_end_the_same([](world& w) {
    return [&w](auto token) {
      return brownout::async_call(brownout::pipeline{w.database}, w.operation(), std::move(token));
    };
  });
}

TEST_CASE("with every token a hedged call ends as its operation does", "[asio][Hd1]") {
  tell_every_end_the_same(
      [](world& w) {
        return [&w](auto token) {
          return brownout::async_hedge(w.hedging, brownout::pipeline{w.database}, w.operation(),
                                       std::move(token));
        };
      },
      2);
}

TEST_CASE("with every token a call with a deadline ends as its operation does", "[asio][Y17]") {
  using namespace std::chrono_literals;
  tell_every_end_the_same([](world& w) {
    auto guarded = std::make_shared<brownout::async_guard<breaker, net::io_context::executor_type>>(
        w.io.get_executor(), w.database, brownout::async_guard_options{.deadline = 1h});
    return [&w, guarded](auto token) {
      return guarded->async_call(w.operation()(net::deferred), std::move(token));
    };
  });
}

TEST_CASE("guarded calls can be awaited together", "[asio][Y2]") {
  using namespace net::experimental::awaitable_operators;
  world w;
  const auto call = [&] {
    return brownout::async_call(w.database, w.operation()(net::deferred), net::use_awaitable);
  };
  w.run([&]() -> net::awaitable<void> {
    const auto [first, second] = co_await (call() && call());
    CHECK((first == 7 && second == 7));
    const auto one = co_await (call() || call());
    CHECK((one.index() == 0 && std::get<0>(one) == 7));
  });
}

TEST_CASE("a guard has the default token of its executor", "[asio][Y17]") {
  using namespace std::chrono_literals;
  using executor = net::use_awaitable_t<>::executor_with_default<net::io_context::executor_type>;
  world w;
  brownout::async_guard<breaker, executor> guarded{
      executor{w.io.get_executor()}, w.database, {.deadline = 1h}};
  w.run([&]() -> net::awaitable<void> {
    CHECK(co_await guarded.async_call(w.operation()(net::deferred)) == 7);
  });
}
