// SPDX-License-Identifier: BSL-1.0
//
// A service with one thread: requests, probes and the supervisor share an io_context.
//
// The database hangs. Its probe is cancelled at its deadline, and the level falls, although no thread waits
// and no request is made. When the database is well again, the level returns.
#include <brownout/asio/async_supervision.hpp>
#include <brownout/brownout.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <iostream>
#include <string_view>

using namespace std::chrono_literals;
namespace net = boost::asio;

enum class upstream { database };
enum class level { normal, minimal };
enum class feature { search };

constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "minimal";
}

constexpr auto features = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::search, .last = level::normal, .needs = brownout::needs(upstream::database)},
});

/// Stands for a client of the database.
struct database_client {
  net::io_context& io;
  bool hangs = false;

  net::awaitable<bool> ping() {
    net::steady_timer answer{io, hangs ? 1h : 1ms};
    co_await answer.async_wait(net::use_awaitable);
    co_return true;
  }
};

int main() {
  net::io_context io{1};
  database_client client{io};

  brownout::dependency<> database{{.name = "database",
                                   .criticality = brownout::criticality::required,
                                   .breaker = {.open_for = 100ms, .successes = 2},
                                   .probe = brownout::probed_elsewhere,
                                   .timeout = 50ms}};
  brownout::supervisor system{
      features,
      {.levels = {.ladder = {{level::normal, 60}, {level::minimal, 0}}, .dwell = 200ms, .confirm_for = 0ms},
       .probe_interval = 50ms,
       .suspect_interval = 50ms,
       .refresh = 10ms,
       .seed = 1},
      {{upstream::database, database}}};

  // The steps and the probes: no thread of their own.
  level seen = level::minimal;
  brownout::async_supervision watch{
      io.get_executor(),
      system,
      {{upstream::database,
        [&](const brownout::probe_context& /*asked*/, brownout::async_probe_handler done) {
          net::co_spawn(io, client.ping(), std::move(done));
        }}},
      [&](const auto& /*plan*/) {
        const auto now = system.features().level();
        if (now != seen) std::cout << to_string(seen) << " -> " << to_string(now) << '\n';
        seen = now;
      }};

  // Requests ask for the features, on the same thread.
  const auto request = [&] {
    std::cout << "search: " << (system.features().available(feature::search) ? "on" : "off") << '\n';
  };
  const auto until = [&](level wanted) -> net::awaitable<void> {
    net::steady_timer poll{io};
    while (seen != wanted) {
      poll.expires_after(5ms);
      co_await poll.async_wait(net::use_awaitable);
    }
  };
  const auto day = [&]() -> net::awaitable<void> {
    co_await until(level::normal);
    request();
    std::cout << "The database hangs.\n";
    client.hangs = true;
    co_await until(level::minimal);
    request();
    std::cout << "It is well again.\n";
    client.hangs = false;
    co_await until(level::normal);
    request();
    watch.stop();
  };
  net::co_spawn(io, day(), net::detached);
  io.run();
}

// Output:
// minimal -> normal
// search: on
// The database hangs.
// normal -> minimal
// search: off
// It is well again.
// minimal -> normal
// search: on
