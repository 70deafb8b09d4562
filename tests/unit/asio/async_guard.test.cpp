// SPDX-License-Identifier: BSL-1.0
#include "brownout/asio/async_guard.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "catch2.hpp"
#include "unit/asio/counted_memory.hpp"
#include "unit/asio/operations.hpp"
#include "unit/asio/static_clock.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <cstddef>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

using namespace std::chrono_literals;
using asio_test::async_answer;
using asio_test::error_code;
using asio_test::held_operation;
using asio_test::static_clock;
using brownout::async_guard_options;
using brownout::circuit_state;
using brownout::consecutive_failures;
using brownout::disposition;
using brownout::errc;
namespace net = boost::asio;

namespace {

using breaker = brownout::circuit_breaker<consecutive_failures, static_clock>;
using executor = net::io_context::executor_type;
using guard = brownout::async_guard<breaker, executor, static_clock>;

struct world {
  breaker database{consecutive_failures{1}, {.name = "database", .open_for = 20s}};
  net::io_context io{1};
  guard guarded;
  held_operation held{io};
  net::cancellation_signal signal;
  std::optional<error_code> seen;
  disposition became{};

  explicit world(const async_guard_options& options = {.deadline = 1s})
      : guarded{io.get_executor(), database, options} {}

  /// Starts the held operation under the guard.
  void start() {
    guarded.async_call(held.async_wait(net::deferred),
                       net::bind_cancellation_slot(signal.slot(), [this](error_code error) { seen = error; }),
                       {.became = &became});
    run_ready();
  }
  /// Lets time pass, and all handlers that are ready run.
  void pass(brownout::duration time) {
    static_clock::advance(time);
    run_ready();
  }
  void run_ready() {
    io.restart();
    io.poll();
  }
  [[nodiscard]] circuit_state state() const { return database.observed_state(); }
};

/// An allocator of a handler that has nothing left.
template <class T>
struct no_memory {
  using value_type = T;

  no_memory() = default;
  template <class U>
  explicit no_memory(const no_memory<U>&) noexcept {}
  T* allocate(std::size_t) { throw std::bad_alloc{}; }
  void deallocate(T*, std::size_t) noexcept {}
  friend bool operator==(no_memory, no_memory) = default;
};

}  // namespace

TEST_CASE("at the deadline the breaker counts at once and the operation is cancelled", "[asio][guard][Y14]") {
  world w;
  w.held.is_deaf = true;
  w.start();
  w.pass(999ms);
  CHECK(w.state() == circuit_state::closed);
  w.pass(1ms);
  CHECK(w.state() == circuit_state::open);
  CHECK(w.database.snapshot().last_failure.view() == "timed out");
  CHECK(w.held.seen == net::cancellation_type::terminal);
}

TEST_CASE("the caller is told when the operation has ended", "[asio][guard][Y14]") {
  world w;
  w.held.is_deaf = true;
  w.start();
  w.pass(1s);
  CHECK_FALSE(w.seen);
  w.held.end(net::error::operation_aborted);
  w.run_ready();
  REQUIRE(w.seen);
  CHECK(*w.seen == errc::timed_out);
  CHECK(w.became == disposition::counted);
}

TEST_CASE("a success after the deadline is delivered, and the failure stays counted", "[asio][guard][Y14]") {
  world w;
  w.held.is_deaf = true;
  w.start();
  w.pass(1s);
  w.held.end();
  w.run_ready();
  REQUIRE(w.seen);
  CHECK_FALSE(*w.seen);
  CHECK(w.state() == circuit_state::open);
}

TEST_CASE("a call that ends in time has no deadline left", "[asio][guard][Y14]") {
  world w;
  w.start();
  w.held.end();
  w.run_ready();
  w.pass(1h);
  REQUIRE(w.seen);
  CHECK_FALSE(*w.seen);
  CHECK(w.state() == circuit_state::closed);
}

TEST_CASE("a deadline that is told after the end of its call changes nothing", "[asio][guard][Y14]") {
  world w;
  net::io_context other{1};  // of the handler: it has both messages when it runs
  int taken = 0;
  std::optional<int> left;
  const auto handler = net::bind_executor(other.get_executor(), [&](error_code error) {
    w.seen = error;
    left = taken;
  });
  w.guarded.async_call(w.held.async_wait(net::deferred),
                       net::bind_allocator(asio_test::counted_memory<void>{taken}, handler),
                       {.became = &w.became});
  other.poll();
  w.held.end();
  w.pass(1s);
  other.restart();
  other.poll();
  REQUIRE(w.seen);
  CHECK_FALSE(*w.seen);
  CHECK(left == 0);  // a handler may own its memory
  CHECK(w.became == disposition::counted);
  CHECK(w.state() == circuit_state::closed);
}

TEST_CASE("an abandoned call completes at the deadline", "[asio][guard][Y15]") {
  world w{{.deadline = 1s, .abandon = true}};
  w.held.is_deaf = true;
  w.start();
  w.pass(1s);
  REQUIRE(w.seen);
  CHECK(*w.seen == errc::timed_out);
  w.seen.reset();
  w.held.end();
  w.run_ready();
  CHECK_FALSE(w.seen);
}

TEST_CASE("a caller's cancellation is no failure, unless it was patient", "[asio][guard][Y9]") {
  world w{{.patience = 500ms}};
  SECTION("impatient") {
    w.start();
    w.pass(499ms);
    w.signal.emit(net::cancellation_type::total);
    w.run_ready();
    CHECK(w.became == disposition::released);
    CHECK(w.state() == circuit_state::closed);
  }
  SECTION("patient") {
    w.start();
    w.pass(500ms);
    w.signal.emit(net::cancellation_type::total);
    w.run_ready();
    CHECK(w.state() == circuit_state::open);
  }
  REQUIRE(w.seen);
  CHECK(*w.seen == net::error::operation_aborted);
}

TEST_CASE("a cancelled call with a deadline that succeeds all the same is a success", "[asio][guard][Y7]") {
  world w;
  w.held.is_deaf = true;
  w.start();
  w.signal.emit(net::cancellation_type::terminal);
  w.held.end();
  w.run_ready();
  REQUIRE(w.seen);
  CHECK_FALSE(*w.seen);
  CHECK(w.became == disposition::counted);
}

TEST_CASE("calls of different starts have their deadlines in order", "[asio][guard][Y17]") {
  world w;
  held_operation second{w.io};
  std::optional<error_code> second_seen;
  w.start();
  w.pass(400ms);
  w.guarded.async_call(second.async_wait(net::deferred), [&](error_code error) { second_seen = error; });
  w.run_ready();
  w.pass(600ms);
  REQUIRE(w.seen);
  CHECK(*w.seen == errc::timed_out);
  CHECK_FALSE(second_seen);
  w.pass(400ms);
  REQUIRE(second_seen);
  CHECK(*second_seen == errc::timed_out);
}

TEST_CASE("a call that its executor begins late has its deadline from its start", "[asio][guard][Y17]") {
  world w;
  net::io_context busy{1};
  held_operation first{busy};
  std::optional<error_code> first_seen;
  w.guarded.async_call(
      first.async_wait(net::deferred),
      net::bind_executor(busy.get_executor(), [&](error_code error) { first_seen = error; }));
  w.pass(400ms);
  w.start();
  busy.poll();  // after a call with a later deadline
  w.pass(600ms);
  busy.restart();
  busy.poll();
  CHECK(first_seen == errc::timed_out);
  CHECK_FALSE(w.seen);
}

TEST_CASE("a guard that is destroyed leaves its calls without a deadline", "[asio][guard][Y17]") {
  breaker database{consecutive_failures{1}, {}};
  net::io_context io{1};
  held_operation held{io};
  std::optional<error_code> seen;
  {
    guard guarded{io.get_executor(), database, {.deadline = 1s}};
    guarded.async_call(held.async_wait(net::deferred), [&](error_code error) { seen = error; });
    io.poll();
    io.restart();
  }
  static_clock::advance(1h);
  io.run();  // the timer no longer keeps it busy
  CHECK_FALSE(seen);
  held.end();
  io.restart();
  io.run();
  REQUIRE(seen);
  CHECK_FALSE(*seen);
}

TEST_CASE("a call with a deadline that is lost gives its place back", "[asio][guard][Y10]") {
  world w;
  w.start();
  w.held.lose();
  w.pass(1h);
  CHECK_FALSE(w.seen);
  CHECK(w.state() == circuit_state::closed);
  CHECK(w.database.try_acquire());
}

TEST_CASE("the time of a guard is checked", "[asio][guard]") {
  breaker database{consecutive_failures{1}, {}};
  net::io_context io{1};
  CHECK_THROWS_WITH((guard{io.get_executor(), database, {.deadline = 0s}}),
                    "async_guard_options.deadline = 0s: allowed is 1ms to 1h");
}

TEST_CASE("a signal does not reach a call with a deadline that was lost", "[asio][guard][Y12]") {
  world w;
  w.start();
  w.held.lose();
  w.signal.emit(net::cancellation_type::terminal);  // with a link to the call: a use after free
  w.run_ready();
  CHECK_FALSE(w.seen);
}

TEST_CASE("a signal does not reach a call that was abandoned at its deadline", "[asio][guard][Y12][Y15]") {
  world w{{.deadline = 1s, .abandon = true}};
  w.held.is_deaf = true;
  w.start();
  w.pass(1s);
  CHECK(w.seen == errc::timed_out);
  w.signal.emit(net::cancellation_type::partial);
  CHECK(w.held.seen == net::cancellation_type::terminal);  // by the deadline
}

TEST_CASE("a call with a deadline that is cancelled before its start is not started", "[asio][guard][Y25]") {
  world w;
  w.guarded.async_call(
      w.held.async_wait(net::deferred),
      net::bind_cancellation_slot(w.signal.slot(), [&](error_code error) { w.seen = error; }),
      {.became = &w.became});
  w.signal.emit(net::cancellation_type::terminal);
  w.run_ready();
  CHECK(w.held.started == 0);
  CHECK(w.seen == net::error::operation_aborted);
  CHECK(w.became == disposition::released);
  w.pass(1h);
  CHECK(w.state() == circuit_state::closed);
}

TEST_CASE("a signal of no type is no cancellation", "[asio][guard][Y7]") {
  world w;
  w.start();
  w.signal.emit(net::cancellation_type::none);
  w.held.end(net::error::connection_reset);
  w.run_ready();
  CHECK(w.state() == circuit_state::open);
}

TEST_CASE("an operation may end within its cancellation by a deadline", "[asio][guard][Y14]") {
  world w;
  w.held.is_prompt = true;
  w.start();
  w.pass(1s);
  CHECK(w.seen == errc::timed_out);
}

TEST_CASE("a handler that throws at the deadline throws out of run", "[asio][guard][Y15]") {
  world w{{.deadline = 1s, .abandon = true}};
  held_operation second{w.io};
  w.guarded.async_call(w.held.async_wait(net::deferred),
                       [](error_code) { throw std::runtime_error{"oops"}; });
  w.guarded.async_call(second.async_wait(net::deferred), [&](error_code error) { w.seen = error; });
  w.run_ready();
  static_clock::advance(1s);
  w.io.restart();
  CHECK_THROWS_WITH(w.io.poll(), "oops");  // was the end of the program
  w.run_ready();
  CHECK(w.seen == errc::timed_out);
}

TEST_CASE("a call that its handler has no memory for counts as nothing", "[asio][guard][Y10]") {
  world w;
  CHECK_THROWS_AS(w.guarded.async_call(w.held.async_wait(net::deferred),
                                       net::bind_allocator(no_memory<void>{}, [](error_code) {})),
                  std::bad_alloc);
  CHECK(w.state() == circuit_state::closed);  // was opened by it
  CHECK(w.database.try_acquire());
}

namespace {

/// A value that cannot be copied for want of memory.
struct too_large {
  too_large() = default;
  too_large(const too_large&) { throw std::bad_alloc{}; }
};

}  // namespace

TEST_CASE("a call whose values cannot be copied gives its memory back", "[asio][guard][Y10]") {
  world w;
  int taken = 0;
  w.guarded.async_call_as<void(error_code, too_large)>(
      [&](auto handler) {
        net::post(w.io, [kept = std::move(handler)]() mutable {
          const too_large value;
          std::move(kept)(error_code{}, value);
        });
      },
      net::bind_allocator(asio_test::counted_memory<void>{taken}, [](error_code, const too_large&) {}));
  CHECK_THROWS_AS(w.io.poll(), std::bad_alloc);
  CHECK(taken == 0);
}

TEST_CASE("a call may outlive its guard and the context of that", "[asio][guard][Y17]") {
  breaker database{consecutive_failures{1}, {}};
  net::io_context io{1};
  held_operation held{io};
  std::optional<error_code> seen;
  {
    net::io_context other{1};
    guard guarded{other.get_executor(), database, {.deadline = 1s}};
    guarded.async_call(held.async_wait(net::deferred),
                       net::bind_executor(io.get_executor(), [&](error_code error) { seen = error; }));
    io.poll();
  }
  held.end();
  io.restart();
  io.poll();  // with the timer of the guard kept by the call: a use after free
  CHECK(seen == error_code{});
}
