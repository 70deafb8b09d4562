// SPDX-License-Identifier: BSL-1.0
#include "brownout/asio/async_supervision.hpp"
#include "brownout/asio/async_probe.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/supervision.hpp"
#include "brownout/system/supervisor.hpp"
#include "catch2.hpp"
#include "unit/asio/operations.hpp"
#include "unit/asio/static_clock.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using asio_test::error_code;
using asio_test::held_operation;
using asio_test::static_clock;
using brownout::async_probe;
using brownout::async_probe_handler;
using brownout::circuit_state;
using brownout::consecutive_failures;
using brownout::dependency_options;
using brownout::outcome;
using brownout::probe_context;
using brownout::probe_result;
using brownout::probed_elsewhere;
namespace net = boost::asio;

namespace {

enum class upstream { database, search };
enum class level { normal, degraded };
enum class feature { shop };

constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "degraded";
}
constexpr std::string_view to_string(feature) {
  return "shop";
}
constexpr auto features = brownout::make_feature_matrix<feature, level>({{feature::shop, level::degraded}});

using dependency = brownout::dependency<consecutive_failures, static_clock>;
using supervisor = brownout::supervisor_for<features, static_clock>;
using executor = net::io_context::executor_type;
using supervision = brownout::async_supervision<supervisor, executor, static_clock>;

dependency_options probed(std::string name) {
  return {.name = std::move(name), .weight = 0.5, .probe = probed_elsewhere, .timeout = 500ms};
}

struct world {
  dependency database{{2}, probed("database")};
  dependency search{{2}, probed("search")};
  supervisor system{features,
                    {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 0}}},
                     .probe_interval = 1s,
                     .suspect_interval = 1s,
                     .probe_jitter = 0,
                     .seed = 1},
                    {{upstream::database, database}, {upstream::search, search}}};
  net::io_context io{1};
  held_operation database_ping{io};
  int search_pings = 0;
  std::optional<supervision> watch;

  std::vector<async_probe> probes() {
    return {
        {upstream::database, [this](const probe_context&,
                                    async_probe_handler done) { database_ping.async_wait(std::move(done)); }},
        {upstream::search, [this](const probe_context&, async_probe_handler done) {
           ++search_pings;
           net::post(io, [answer = std::move(done)]() mutable { std::move(answer)(true); });
         }}};
  }
  void start(supervision::observer on_step = {}) {
    watch.emplace(io.get_executor(), system, probes(), std::move(on_step));
    run_ready();
  }
  void run_ready() {
    io.restart();
    io.poll();
  }
  /// Passes time in steps of the refresh.
  void pass(brownout::duration by) {
    for (brownout::duration passed{}; passed < by; passed += 100ms) {
      static_clock::advance(100ms);
      run_ready();
    }
  }
  [[nodiscard]] auto circuit_of(upstream which) { return system.at(which).snapshot().state; }
};

}  // namespace

TEST_CASE("a supervision on an executor steps, and probes as asynchronous operations", "[asio][Y22]") {
  world on;
  on.start();
  on.pass(300ms);
  CHECK(on.database_ping.started == 1);
  CHECK(on.search_pings == 1);
  CHECK(!on.system.snapshot().assessed);
  on.database_ping.end();
  on.run_ready();
  CHECK(on.system.snapshot().assessed);
  CHECK(on.system.snapshot().level == level::normal);
  on.pass(1s);
  CHECK(on.database_ping.started == 2);
}

TEST_CASE("an asynchronous probe is cancelled at its deadline", "[asio][Y22]") {
  world on;
  on.start();
  on.pass(400ms);
  REQUIRE(on.database_ping.started == 1);
  CHECK(on.database_ping.seen == net::cancellation_type::none);
  on.pass(100ms);
  CHECK(on.database_ping.seen == net::cancellation_type::terminal);
  CHECK(on.system.at(upstream::database).snapshot().failed_results == 1);
  on.pass(2s);
  CHECK(on.circuit_of(upstream::database) == circuit_state::open);
}

TEST_CASE("an asynchronous probe that ignores its deadline delays nothing", "[asio][Y22]") {
  world on;
  on.database_ping.is_deaf = true;
  on.start();
  on.pass(10s);
  CHECK(on.database_ping.started == 1);  // at most one is under way
  CHECK(on.circuit_of(upstream::database) == circuit_state::open);
  CHECK(on.search_pings >= 8);
  CHECK(on.watch->stop() == std::vector<std::string>{"database"});
  on.io.restart();
  on.io.run();  // nothing keeps it busy
  on.database_ping.end();
  on.run_ready();  // its late answer changes nothing
  CHECK(on.circuit_of(upstream::database) == circuit_state::open);
}

TEST_CASE("the supervisor may be destroyed after the stop of its supervision", "[asio][Y22]") {
  net::io_context io{1};
  held_operation ping{io};
  ping.is_deaf = true;
  {
    dependency database{{2}, probed("database")};
    dependency search{{2}, {.name = "search"}};
    supervisor system{features,
                      {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 0}}}},
                      {{upstream::database, database}, {upstream::search, search}}};
    supervision watch{
        io.get_executor(), system, {{upstream::database, [&](const auto&, async_probe_handler done) {
                                       ping.async_wait(std::move(done));
                                     }}}};
    for (int i = 0; i < 20; ++i) {
      static_clock::advance(100ms);
      io.restart();
      io.poll();
    }
    CHECK(ping.started == 1);
  }
  ping.end();
  io.restart();
  io.poll();
}

TEST_CASE("what an asynchronous probe completes with is its answer", "[asio][Y22]") {
  world on;
  std::vector<std::string> reasons;
  const auto ask = [&](async_probe::starter start) {
    on.watch.reset();
    on.watch.emplace(on.io.get_executor(), on.system,
                     std::vector<async_probe>{{upstream::database, std::move(start)}, on.probes()[1]});
    for (int i = 0; i < 40 && on.system.at(upstream::database).snapshot().failed_results == 0; ++i)
      on.pass(100ms);
    return std::string{on.system.at(upstream::database).snapshot().last_failure.view()};
  };
  SECTION("an error code") {
    CHECK(ask([&](const auto&, async_probe_handler done) {
            asio_test::async_answer(on.io.get_executor(), std::move(done),
                                    error_code{net::error::connection_refused}, 5);
          }) == error_code{net::error::connection_refused}.message());
  }
  SECTION("a coroutine") {
    CHECK(ask([&](const auto&, async_probe_handler done) {
            const auto ping = []() -> net::awaitable<probe_result> {
              co_return probe_result{outcome::failure, "no leader"};
            };
            net::co_spawn(on.io, ping, std::move(done));
          }) == "no leader");
  }
  SECTION("a coroutine that throws") {
    CHECK(ask([&](const auto&, async_probe_handler done) {
            const auto ping = []() -> net::awaitable<void> {
              throw std::runtime_error{"password=secret"};
              co_return;
            };
            net::co_spawn(on.io, ping, std::move(done));
          }) == "the probe threw an exception");
  }
  SECTION("nothing: the handler is destroyed") {
    CHECK(ask([](const auto&, const async_probe_handler&) {}) == "the probe ended without an answer");
  }
  SECTION("an exception of the function") {
    CHECK(ask([](const auto&, const async_probe_handler&) { throw std::runtime_error{"no"}; }) ==
          "the probe ended without an answer");
  }
}

TEST_CASE("probes and dependencies of a supervision on an executor must fit", "[asio][Y22][Y23]") {
  world on;
  const auto make = [&](std::vector<async_probe> probes) {
    supervision{on.io.get_executor(), on.system, std::move(probes)};
  };
  const auto none = [](const auto&, const async_probe_handler&) {};
  CHECK_THROWS_WITH(
      make({{upstream::database, none}}),
      "dependency_options.probe of search = probed_elsewhere: allowed is an async_probe for it");
  CHECK_THROWS_WITH(make({{upstream::database, none}, {upstream::database, none}}),
                    "async_probe of database = given twice: allowed is one function");
  CHECK_THROWS_WITH(make({{2, none}}),
                    "async_probe.dependency = 2: allowed is a dependency of the supervisor: 0 to 1");

  dependency threaded{{2}, {.name = "threaded", .probe = [] { return true; }}};
  dependency plain{{2}, {.name = "plain"}};
  supervisor other{features,
                   {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 0}}}},
                   {{upstream::database, threaded}, {upstream::search, plain}}};
  CHECK_THROWS_WITH(
      (supervision{on.io.get_executor(), other}),
      "dependency_options.probe of threaded = a function: allowed is probed_elsewhere, since no "
      "thread runs it");
  CHECK_THROWS_WITH(
      (supervision{on.io.get_executor(), other, {{upstream::search, none}}}),
      "dependency_options.probe of plain = not probed_elsewhere: allowed is probed_elsewhere, for "
      "a dependency with an async_probe");
  CHECK_THROWS_WITH(brownout::supervision<supervisor>{on.system},
                    "dependency_options.probe of database = probed_elsewhere: allowed is a function, for a "
                    "supervision by threads");
}

TEST_CASE("the observer of a supervision on an executor may throw and stop it", "[asio][Y24]") {
  world on;
  SECTION("its exceptions are counted") {
    on.start([](const auto&) { throw std::runtime_error{"log is full"}; });
    on.pass(200ms);
    CHECK(on.watch->observer_failures() >= 2);
  }
  SECTION("a stop within a step") {
    on.start([&](const auto&) {
      if (on.watch) on.watch->stop();
    });
    on.pass(200ms);
    on.io.restart();
    on.io.run();
    CHECK(on.database_ping.started == 0);
  }
}

TEST_CASE("the probes of a step that was stopped are made by the next supervision", "[asio][Y22][Y24]") {
  std::optional<supervision> watch;
  bool is_to_stop = true;
  const auto stop = [&] {
    if (std::exchange(is_to_stop, false)) CHECK(watch->stop().empty());
  };
  auto options = probed("database");
  supervision::observer observe{};
  SECTION("by its observer") {
    observe = [&](const auto&) { stop(); };
  }
  SECTION("by a measurement") {
    options.measure = [&] {
      stop();
      return brownout::measurement{};
    };
  }
  net::io_context io{1};
  dependency database{{2}, options};
  dependency search{{2}, {.name = "search"}};
  supervisor system{features,
                    {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 0}}}, .probe_jitter = 0},
                    {{upstream::database, database}, {upstream::search, search}}};
  int pings = 0;
  const auto start = [&] {
    watch.emplace(io.get_executor(), system,
                  std::vector<async_probe>{{upstream::database,
                                            [&](const probe_context&, async_probe_handler done) {
                                              ++pings;
                                              done(true);
                                            }}},
                  observe);
    io.restart();
    io.poll();
  };
  start();
  CHECK_FALSE(is_to_stop);
  CHECK(pings == 0);
  start();
  for (int i = 0; i < 600; ++i) {
    static_clock::advance(100ms);
    io.restart();
    io.poll();
  }
  CHECK(pings > 0);
  CHECK(database.snapshot().state == circuit_state::closed);
  watch.reset();
}

TEST_CASE("a second answer of an asynchronous probe changes nothing", "[asio][Y22]") {
  world w;
  w.watch.emplace(w.io.get_executor(), w.system,
                  std::vector<async_probe>{{upstream::database,
                                            [](const probe_context&, async_probe_handler done) {
                                              done(true);
                                              done(false);
                                            }},
                                           {upstream::search, [](const probe_context&,
                                                                 async_probe_handler done) { done(true); }}});
  w.pass(5s);
  CHECK(w.circuit_of(upstream::database) == circuit_state::closed);
}

TEST_CASE("the step after a probe comes at once, also if it answers within its start", "[asio][Y22]") {
  const auto steps_with = [](bool is_posted) {
    world w;
    int steps = 0;
    w.watch.emplace(
        w.io.get_executor(), w.system,
        std::vector<async_probe>{
            {upstream::database,
             [&](const probe_context&, async_probe_handler done) {
               if (!is_posted) return done(true);
               net::post(w.io, [answer = std::move(done)]() mutable { answer(true); });
             }},
            {upstream::search, [](const probe_context&, async_probe_handler done) { done(true); }}},
        [&](const auto&) { ++steps; });
    w.run_ready();
    return steps;
  };
  CHECK(steps_with(true) == 2);
  CHECK(steps_with(false) == 2);
}

TEST_CASE("the context of an asynchronous probe is valid until its answer, and tells of the stop",
          "[asio][Y22]") {
  world on;
  const probe_context* given = nullptr;  // as a coroutine has that takes it by reference
  auto probes = on.probes();
  probes[0].start = [&](const probe_context& now, async_probe_handler done) {
    given = &now;
    on.database_ping.async_wait(std::move(done));
  };
  on.database_ping.is_deaf = true;
  on.watch.emplace(on.io.get_executor(), on.system, std::move(probes));
  on.run_ready();
  const auto began = static_clock{}.now();
  on.pass(300ms);
  REQUIRE(on.database_ping.started == 1);
  CHECK(given->deadline > began);
  CHECK(given->deadline <= began + 1s);
  const auto copied = *given;
  CHECK(!copied.stop_requested());
  on.watch->stop();
  CHECK(copied.stop_requested());
  CHECK(given->stop_requested());
  on.database_ping.end();
  on.run_ready();
}
