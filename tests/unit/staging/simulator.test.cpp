// SPDX-License-Identifier: BSL-1.0
#include "clients/simulator.hpp"
#include "catch2.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brownout::outcome;
using staging::latency_of;
using staging::simulated_behaviour;
using staging::simulated_mode;
using staging::simulator;

namespace {

brownout::time_point now() {
  return brownout::monotonic_clock{}.now();
}

staging::call_context within(brownout::duration limit, std::stop_token stop = {}) {
  return {now() + limit, std::move(stop)};
}

std::vector<outcome> outcomes(std::uint64_t seed, double error_rate, int calls) {
  simulator dependency{seed};
  dependency.set({.mode = simulated_mode::flaky, .latency = 0ns, .error_rate = error_rate});
  std::vector<outcome> seen;
  for (int call = 0; call < calls; ++call) seen.push_back(dependency.call(within(1min)).result);
  return seen;
}

}  // namespace

TEST_CASE("a simulated dependency is up until it is told otherwise", "[staging][clients]") {
  simulator dependency;
  CHECK(dependency.behaviour().mode == simulated_mode::up);
  const auto found = dependency.call(within(1min));
  CHECK(found.result == outcome::success);
  CHECK(found.reason.empty());
}

TEST_CASE("a simulated dependency that is down fails every call and says why", "[staging][clients]") {
  simulator dependency;
  dependency.set({.mode = simulated_mode::down});
  for (int call = 0; call < 3; ++call) {
    const auto found = dependency.call(within(1min));
    CHECK(found.result == outcome::failure);
    CHECK(found.reason == "simulated failure");
  }
  dependency.set({.mode = simulated_mode::up});
  CHECK(dependency.call(within(1min)).result == outcome::success);
}

TEST_CASE("the default latency is 1 ms, and 2 s in mode slow", "[staging][clients]") {
  CHECK(latency_of({}) == 1ms);
  CHECK(latency_of({.mode = simulated_mode::down}) == 1ms);
  CHECK(latency_of({.mode = simulated_mode::slow}) == 2s);
  CHECK(latency_of({.mode = simulated_mode::slow, .latency = 5ms}) == 5ms);
  CHECK(latency_of({.mode = simulated_mode::up, .latency = 0ns}) == 0ns);
}

TEST_CASE("a simulated call takes its latency, whether it succeeds or fails", "[staging][clients]") {
  for (const auto mode : {simulated_mode::up, simulated_mode::slow, simulated_mode::down}) {
    CAPTURE(to_string(mode));
    simulator dependency;
    dependency.set({.mode = mode, .latency = 20ms});
    const auto start = now();
    const auto found = dependency.call(within(1min));
    CHECK(now() - start >= 20ms);
    CHECK((found.result == outcome::success) == (mode != simulated_mode::down));
  }
}

TEST_CASE("a simulated call whose latency reaches past the deadline times out there", "[staging][clients]") {
  simulator dependency;
  dependency.set({.mode = simulated_mode::slow, .latency = 1h});
  const auto start = now();
  const auto found = dependency.call(within(20ms));
  CHECK(now() - start >= 20ms);
  CHECK(now() - start < 30s);
  CHECK(found.result == outcome::failure);
  CHECK(found.reason == "timed out (simulated)");

  SECTION("also when the deadline is already over") {
    CHECK(dependency.call(within(-1s)).result == outcome::failure);
  }
}

TEST_CASE("a stop request ends a simulated call at once, as cancelled", "[staging][clients]") {
  simulator dependency;
  dependency.set({.mode = simulated_mode::slow, .latency = 1h});
  std::stop_source shutdown;
  brownout::probe_result found;
  std::jthread caller{[&] { found = dependency.call(within(1h, shutdown.get_token())); }};
  const auto asked = now();
  shutdown.request_stop();
  caller.join();
  CHECK(now() - asked < 30s);
  CHECK(found.result == outcome::cancelled);
}

TEST_CASE("a flaky dependency fails the share of calls it was told", "[staging][clients]") {
  CHECK(outcomes(1, 0.0, 100) == std::vector<outcome>(100, outcome::success));
  CHECK(outcomes(1, 1.0, 100) == std::vector<outcome>(100, outcome::failure));

  const auto seen = outcomes(1, 0.25, 2000);
  // Standard deviation of the share: 0.0097. The seed is fixed, so this cannot be unlucky.
  const auto failures = std::count(seen.begin(), seen.end(), outcome::failure);
  CHECK(std::abs(static_cast<double>(failures) / 2000 - 0.25) < 0.04);
}

TEST_CASE("equal seeds give equal outcomes, another seed gives others", "[staging][clients]") {
  CHECK(outcomes(7, 0.5, 200) == outcomes(7, 0.5, 200));
  CHECK(outcomes(7, 0.5, 200) != outcomes(8, 0.5, 200));
}

TEST_CASE("a behaviour out of range is refused, names its field and changes nothing", "[staging][clients]") {
  simulator dependency;
  dependency.set({.mode = simulated_mode::down});
  const auto refused = [&](const simulated_behaviour& wrong, const std::string& field) {
    try {
      dependency.set(wrong);
    } catch (const std::invalid_argument& error) {
      return std::string{error.what()}.rfind(field + '=', 0) == 0;
    }
    return false;
  };
  CHECK(refused({.error_rate = 1.001}, "error_rate"));
  CHECK(refused({.error_rate = -0.001}, "error_rate"));
  CHECK(refused({.error_rate = std::numeric_limits<double>::quiet_NaN()}, "error_rate"));
  CHECK(refused({.latency = -1ns}, "latency"));
  CHECK(refused({.latency = 3600s + 1ns}, "latency"));
  CHECK(dependency.behaviour().mode == simulated_mode::down);
}

TEST_CASE("a mode's name is read back as that mode, and nothing else is", "[staging][clients]") {
  for (const auto mode :
       {simulated_mode::up, simulated_mode::down, simulated_mode::slow, simulated_mode::flaky})
    CHECK(staging::parse_mode(to_string(mode)) == mode);
  for (const auto* text : {"", "UP", "up ", "uptime", "invalid"}) CHECK_FALSE(staging::parse_mode(text));
}

TEST_CASE("a simulator may be told and called by several threads at once", "[staging][clients]") {
  simulator dependency;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&] {
      for (int call = 0; call < 200; ++call) static_cast<void>(dependency.call(within(1min)));
    });
  }
  for (int change = 0; change < 200; ++change)
    dependency.set({.mode = change % 2 == 0 ? simulated_mode::flaky : simulated_mode::down, .latency = 0ns});
  threads.clear();
  CHECK(dependency.behaviour().mode == simulated_mode::down);
}
