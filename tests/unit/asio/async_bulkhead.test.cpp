// SPDX-License-Identifier: BSL-1.0
#include "brownout/asio/async_bulkhead.hpp"
#include "brownout/asio/async_bulkhead_metrics.hpp"
#include "brownout/asio/async_pipeline.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/observe/prometheus_text.hpp"
#include "brownout/system/call_limit.hpp"
#include "catch2.hpp"
#include "unit/asio/operations.hpp"
#include "unit/asio/static_clock.hpp"
#include "unit/refusal_of.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using asio_test::error_code;
using asio_test::held_operation;
using asio_test::static_clock;
using brownout::async_bulkhead_options;
using brownout::consecutive_failures;
using brownout::errc;
using brownout::pipeline;
namespace net = boost::asio;

namespace {

using executor = net::io_context::executor_type;
using bulkhead = brownout::async_bulkhead<executor, static_clock>;
using breaker = brownout::circuit_breaker<consecutive_failures, static_clock>;

/// What one wait came to.
struct waited {
  net::cancellation_signal signal{};
  std::optional<error_code> seen{};
  bulkhead::permit place{};
};

struct world {
  net::io_context io{1};
  bulkhead places;
  std::array<waited, 6> calls{};
  std::vector<std::size_t> order{};

  explicit world(const async_bulkhead_options& options = {.name = "places", .limit = 1})
      : places{io.get_executor(), options} {}

  void acquire(std::size_t which) {
    places.async_acquire(
        net::bind_cancellation_slot(calls[which].signal.slot(), [this, which](error_code error, auto place) {
          order.push_back(which);
          calls[which].seen = error;
          calls[which].place = std::move(place);
        }));
  }
  void run_ready() {
    io.restart();
    io.poll();
  }
  void pass(brownout::duration by) {
    static_clock::advance(by);
    run_ready();
  }
};

}  // namespace

TEST_CASE("a place that is free is acquired, and never within the call", "[asio][Y20]") {
  world on;
  on.acquire(0);
  CHECK(!on.calls[0].seen);
  on.run_ready();
  CHECK(on.calls[0].seen == error_code{});
  CHECK(!on.calls[0].place.settled());
  CHECK(on.places.snapshot().in_flight == 1);
  on.calls[0].place.release();
  CHECK(on.places.snapshot().in_flight == 0);
}

TEST_CASE("waiters get places in the order in which they came", "[asio][Y20]") {
  world on;
  for (std::size_t i = 0; i < 4; ++i) on.acquire(i);
  on.run_ready();
  CHECK(on.order == std::vector<std::size_t>{0});
  CHECK(on.places.snapshot().waiting == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    on.calls[i].place.release();
    // The place is never free between two calls.
    CHECK(on.places.snapshot().in_flight == 1);
    CHECK(!on.places.try_acquire());
    on.run_ready();
  }
  CHECK(on.order == std::vector<std::size_t>{0, 1, 2, 3});
  CHECK(on.places.snapshot().admitted == 4);
}

TEST_CASE("the line for places has a bound", "[asio][Y20]") {
  world on{{.name = "places", .limit = 1, .most_waiting = 2}};
  for (std::size_t i = 0; i < 4; ++i) on.acquire(i);
  on.run_ready();
  CHECK(on.calls[3].seen == errc::bulkhead_full);
  CHECK(on.calls[3].place.settled());
  CHECK(on.places.snapshot().refused == 1);
  CHECK(on.places.snapshot().waiting == 2);
}

TEST_CASE("a waiter leaves the line when it has waited for as long as it may", "[asio][Y20]") {
  world on{{.name = "places", .limit = 1, .longest_wait = 100ms}};
  on.acquire(0);
  on.acquire(1);
  on.pass(60ms);
  on.acquire(2);
  on.pass(40ms);
  CHECK(on.calls[1].seen == errc::queue_timeout);
  CHECK(!on.calls[2].seen);
  on.calls[0].place.release();
  on.run_ready();
  CHECK(on.calls[2].seen == error_code{});
  CHECK(on.places.snapshot().expired == 1);
}

TEST_CASE("a wait that was in vain is a refused call for the health of a dependency", "[asio][H1h]") {
  world on;
  on.acquire(0);
  on.acquire(1);
  on.run_ready();
  const brownout::call_limit around{on.places};
  CHECK(around.totals().refused == 0);
  static_clock::advance(500ms);
  on.run_ready();
  CHECK(on.calls[1].seen == errc::queue_timeout);
  CHECK(around.totals().admitted == 1);
  CHECK(around.totals().refused == 1);
}

TEST_CASE("a place that came before the end of the wait was handled is kept", "[asio][Y20]") {
  world on{{.name = "places", .limit = 1, .longest_wait = 100ms}};
  on.acquire(0);
  on.acquire(1);
  on.run_ready();
  static_clock::advance(100ms);
  on.calls[0].place.release();
  on.run_ready();
  CHECK(on.calls[1].seen == error_code{});
  CHECK(on.places.snapshot().in_flight == 1);
}

TEST_CASE("a cancelled waiter leaves the line", "[asio][Y20]") {
  world on;
  on.acquire(0);
  on.acquire(1);
  on.acquire(2);
  on.run_ready();
  on.calls[1].signal.emit(net::cancellation_type::total);
  CHECK(!on.calls[1].seen);
  on.run_ready();
  CHECK(on.calls[1].seen == net::error::operation_aborted);
  SECTION("and the next one gets the place") {
    on.calls[0].place.release();
    on.run_ready();
    CHECK(on.calls[2].seen == error_code{});
  }
  SECTION("a cancellation that comes after the place changes nothing") {
    on.calls[0].place.release();
    on.calls[2].signal.emit(net::cancellation_type::terminal);
    on.run_ready();
    CHECK(on.calls[2].seen == error_code{});
    CHECK(!on.calls[2].place.settled());
  }
  SECTION("a signal after the end touches nothing") {
    on.calls[1].signal.emit(net::cancellation_type::terminal);
    on.calls[0].signal.emit(net::cancellation_type::terminal);
    on.run_ready();
    CHECK(on.places.snapshot().cancelled == 1);
  }
}

TEST_CASE("with many waiters the newest gets the place, if that is asked for", "[asio][Y20]") {
  world on{{.name = "places", .limit = 1, .most_waiting = 4, .adaptive_lifo = true}};
  for (std::size_t i = 0; i < 5; ++i) on.acquire(i);
  on.run_ready();
  for (std::size_t i = 0; i < 4; ++i) {
    on.calls[on.order.back()].place.release();
    on.run_ready();
  }
  // Four and three wait: more than half of four. Then the oldest first.
  CHECK(on.order == std::vector<std::size_t>{0, 4, 3, 1, 2});
}

TEST_CASE("the destructor of a bulkhead cancels all waits", "[asio][Y20]") {
  net::io_context io{1};
  std::optional<error_code> seen;
  bulkhead::permit kept;
  {
    bulkhead places{io.get_executor(), {.limit = 1}};
    places.async_acquire([&](error_code, bulkhead::permit place) { kept = std::move(place); });
    io.poll();
    places.async_acquire([&](error_code error, const bulkhead::permit&) { seen = error; });
  }
  io.restart();
  io.poll();
  CHECK(seen == net::error::operation_aborted);
  kept.release();  // permits may outlive the bulkhead
}

TEST_CASE("a place whose handler is destroyed unrun goes to the next", "[asio][Y10][Y20]") {
  net::io_context io{1};
  bulkhead places{io.get_executor(), {.limit = 1}};
  std::optional<error_code> seen;
  {
    net::io_context lost{1};
    places.async_acquire(net::bind_executor(lost.get_executor(), [](error_code, const bulkhead::permit&) {}));
    places.async_acquire([&](error_code error, const bulkhead::permit&) { seen = error; });
    CHECK(places.snapshot().waiting == 1);
  }
  io.poll();
  CHECK(seen == error_code{});
  CHECK(places.snapshot().in_flight == 0);
}

TEST_CASE("a bulkhead with more places lets waiters in", "[asio][Y20]") {
  world on;
  for (std::size_t i = 0; i < 4; ++i) on.acquire(i);
  on.run_ready();
  on.places.reconfigure({.limit = 3});
  on.run_ready();
  CHECK(on.order == std::vector<std::size_t>{0, 1, 2});
  on.places.reconfigure({.limit = 1});
  on.calls[0].place.release();
  on.run_ready();
  CHECK(on.places.snapshot().in_flight == 2);
  CHECK(!on.calls[3].seen);
}

TEST_CASE("an async_bulkhead shows what a bulkhead does, and its waits", "[asio][Y20]") {
  world on{{.name = "places", .limit = 1, .longest_wait = 100ms}};
  for (std::size_t i = 0; i < 3; ++i) on.acquire(i);
  on.run_ready();
  on.calls[1].signal.emit(net::cancellation_type::terminal);
  on.run_ready();
  brownout::prometheus_text page;
  write_metrics(page, on.places.name(), on.places.snapshot());
  const auto has = [&](const std::string& line) { return page.text().find(line) != std::string::npos; };
  CHECK(has("\nbrownout_bulkhead_in_flight{guard=\"places\"} 1\n"));
  CHECK(has("\nbrownout_bulkhead_waiting{guard=\"places\"} 1\n"));
  CHECK(has("\nbrownout_bulkhead_waits_total{guard=\"places\",kind=\"cancelled\"} 1\n"));
  CHECK(has("\nbrownout_bulkhead_waits_total{guard=\"places\",kind=\"expired\"} 0\n"));
}

TEST_CASE("options of an async_bulkhead that are out of range are refused", "[asio][Y20]") {
  CHECK(refusal_of(async_bulkhead_options{.limit = 1 << 25}) ==
        "async_bulkhead_options.limit = 33554432: allowed is 0 to 16777216");
  CHECK(refusal_of(async_bulkhead_options{.most_waiting = 1 << 25}) ==
        "async_bulkhead_options.most_waiting = 33554432: allowed is 0 to 16777216");
  CHECK(refusal_of(async_bulkhead_options{.longest_wait = 0ms}) ==
        "async_bulkhead_options.longest_wait = 0s: allowed is 1ms to 1h");
  net::io_context io{1};
  CHECK_THROWS_WITH((bulkhead{io.get_executor(), {.name = "db", .longest_wait = 2h}}),
                    Catch::StartsWith("async_bulkhead 'db': async_bulkhead_options.longest_wait = 2h"));
  bulkhead places{io.get_executor(), {.name = "db"}};
  CHECK_THROWS_WITH(places.reconfigure({.name = "other"}),
                    "async_bulkhead_options.name = 'other': allowed is 'db'");
}

TEST_CASE("a coroutine waits for a place by the default token", "[asio][Y20]") {
  net::io_context io{1};
  using awaiting = net::use_awaitable_t<>::executor_with_default<executor>;
  brownout::async_bulkhead<awaiting, static_clock> places{awaiting{io.get_executor()}, {.limit = 1}};
  int done = 0;
  const auto work = [&]() -> net::awaitable<void> {
    const auto place = co_await places.async_acquire();
    CHECK(places.snapshot().in_flight == 1);
    ++done;
  };
  for (int i = 0; i < 3; ++i) net::co_spawn(io, work, net::detached);
  io.poll();
  CHECK(done == 3);
}

namespace {

struct guarded_world {
  breaker database{consecutive_failures{1}, {.name = "database", .open_for = 20s}};
  net::io_context io{1};
  bulkhead places{io.get_executor(), {.name = "places", .limit = 1, .longest_wait = 100ms}};
  held_operation first{io};
  held_operation second{io};
  net::cancellation_signal signal{};
  std::optional<error_code> seen{};

  template <class P>
  void start(const P& through) {
    brownout::async_call(through, first.async_wait(net::deferred),
                         net::bind_executor(io.get_executor(), [](error_code) {}));
    brownout::async_call(
        through, second.async_wait(net::deferred),
        net::bind_cancellation_slot(
            signal.slot(), net::bind_executor(io.get_executor(), [this](error_code e) { seen = e; })));
    run_ready();
  }
  void run_ready() {
    io.restart();
    io.poll();
  }
  void pass(brownout::duration by) {
    static_clock::advance(by);
    run_ready();
  }
};

}  // namespace

TEST_CASE("a call through a pipeline waits for a place", "[asio][Y20][Y21]") {
  guarded_world on;
  on.start(pipeline{static_clock{}, on.places, on.database, brownout::timeout{.limit = 1s}});
  CHECK(on.first.started == 1);
  CHECK(on.second.started == 0);
  CHECK(on.places.snapshot().refused == 0);  // it waits
  SECTION("and gets it") {
    on.first.end();
    on.run_ready();
    CHECK(on.second.started == 1);
    on.second.end();
    on.run_ready();
    CHECK(on.seen == error_code{});
  }
  SECTION("and has waited for too long") {
    on.pass(100ms);
    CHECK(on.seen == errc::queue_timeout);
  }
  SECTION("and is cancelled") {
    on.signal.emit(net::cancellation_type::terminal);
    on.run_ready();
    CHECK(on.seen == net::error::operation_aborted);
  }
  SECTION("and the circuit has opened before it got it") {
    on.first.end(net::error::connection_reset);
    on.run_ready();
    CHECK(on.seen == errc::circuit_open);
    CHECK(on.second.started == 0);
  }
  on.first.end();
  on.run_ready();
  CHECK(on.places.snapshot().in_flight == 0);
  CHECK(on.places.snapshot().waiting == 0);
}

TEST_CASE("a call through a pipeline waits for a place no longer than its deadline", "[asio][Y20]") {
  guarded_world on;
  on.start(pipeline{static_clock{}, brownout::timeout{.limit = 50ms}, on.places});
  on.pass(50ms);
  CHECK(on.seen == errc::deadline_passed);
  CHECK(on.places.snapshot().waiting == 0);
}

TEST_CASE("a signal does not reach a wait whose context is gone", "[asio][Y12][Y20]") {
  net::cancellation_signal signal;
  {
    net::io_context io{1};
    bulkhead places{io.get_executor(), {.limit = 1}};
    places.async_acquire(net::bind_cancellation_slot(signal.slot(), [&](error_code, auto) {}));
  }
  signal.emit(net::cancellation_type::terminal);  // with a link to the wait: a use after free
}

TEST_CASE("a call cancelled before its start does not get in line", "[asio][Y20][Y25]") {
  world w{{.limit = 0}};
  std::optional<error_code> seen;
  net::cancellation_signal signal;
  held_operation held{w.io};
  brownout::async_call(
      pipeline{static_clock{}, w.places}, held.async_wait(net::deferred),
      net::bind_cancellation_slot(
          signal.slot(), net::bind_executor(w.io.get_executor(), [&](error_code error) { seen = error; })));
  signal.emit(net::cancellation_type::terminal);
  w.run_ready();
  CHECK(seen == net::error::operation_aborted);
  CHECK(w.places.snapshot().waiting == 0);
}

TEST_CASE("the name of an async_bulkhead stays where it is", "[asio][Y20]") {
  world w{{.name = "connections to the database", .limit = 1}};
  const auto name = w.places.name();
  w.places.reconfigure({.limit = 2});
  CHECK(name == "connections to the database");  // with another copy of the name: a use after free
  CHECK(w.places.name().data() == name.data());
  CHECK(w.places.options().name == name);
}

TEST_CASE("permits may outlive the bulkhead and its context", "[asio][Y20]") {
  bulkhead::permit kept;
  {
    net::io_context io{1};
    bulkhead places{io.get_executor(), {.limit = 1}};
    auto admitted = places.try_acquire();
    REQUIRE(admitted);
    kept = *std::move(admitted);
  }
  kept.release();  // with the timer of the bulkhead kept by it: a use after free
  CHECK(kept.settled());
}

TEST_CASE("a handler that waits for a place and owns the bulkhead ends with the context",
          "[asio][Y10][Y20]") {
  std::optional<net::io_context> io{std::in_place, 1};
  auto places = std::make_shared<bulkhead>(io->get_executor(), async_bulkhead_options{.limit = 1});
  const std::weak_ptr<bulkhead> watched = places;
  bulkhead::permit taken;
  places->async_acquire([&](error_code, bulkhead::permit place) { taken = std::move(place); });
  io->poll();
  REQUIRE(!taken.settled());
  SECTION("as a handler") {
    places->async_acquire([places](error_code, const bulkhead::permit&) {});
  }
  SECTION("as a coroutine") {
    const auto wait = [](std::shared_ptr<bulkhead> in) -> net::awaitable<void> {
      static_cast<void>(co_await in->async_acquire(net::use_awaitable));
    };
    net::co_spawn(*io, wait(places), net::detached);
    io->restart();
    io->poll();
  }
  SECTION("as a call through a pipeline") {
    brownout::async_call_as<void(error_code)>(
        pipeline{static_clock{}, brownout::timeout{.limit = 1h}, *places}, [](const auto&) {},
        net::bind_executor(io->get_executor(), [places](error_code) {}));
    io->restart();
    io->poll();
  }
  SECTION("with its wait just over") {
    places->async_acquire([places](error_code, const bulkhead::permit&) {});
    static_clock::advance(500ms);
    io->restart();
    io->poll_one();
  }
  places.reset();
  CHECK_FALSE(watched.expired());
  io.reset();
  CHECK(watched.expired());
}

TEST_CASE("a wait that starts after the end of its bulkhead is cancelled", "[asio][Y20]") {
  net::io_context io{1};
  std::optional<bulkhead> places{std::in_place, io.get_executor(), async_bulkhead_options{.limit = 0}};
  auto wait = places->async_acquire(net::deferred);
  places.reset();
  std::optional<error_code> seen;
  std::move(wait)([&](error_code error, const bulkhead::permit&) { seen = error; });
  io.poll();
  CHECK(seen == net::error::operation_aborted);
}
