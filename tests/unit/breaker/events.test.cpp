// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::announcements;
using brownout::subscription;
using brownout::transition_event;

namespace {

/// What a listener heard, without when.
struct journal {
  std::vector<std::tuple<std::uint64_t, circuit_state, circuit_state, std::uint32_t>> heard;

  auto listener() {
    return [this](const transition_event& event) {
      heard.emplace_back(event.epoch, event.from, event.to, event.cycle);
    };
  }
};
using entries = decltype(journal::heard);

}  // namespace

TEST_CASE("a listener hears of every transition that it asked for", "[breaker][B10][B10g]") {
  using enum circuit_state;
  bench bench{{.open_for = 5s}};
  journal all;
  journal outages;
  const auto one = bench.circuit.subscribe(all.listener(), announcements::every_transition);
  const auto other = bench.circuit.subscribe(outages.listener());
  bench.trip();
  bench.clock.advance(5s);
  bench.fail();
  bench.clock.advance(5s);
  bench.succeed();
  bench.circuit.force_open();
  bench.circuit.reset();
  CHECK(all.heard == entries{{1, closed, open, 1},
                             {2, open, half_open, 1},
                             {3, half_open, open, 2},
                             {4, open, half_open, 2},
                             {5, half_open, closed, 2},
                             {6, closed, forced_open, 0},
                             {7, forced_open, closed, 0}});
  CHECK(outages.heard == entries{{1, closed, open, 1},
                                 {5, half_open, closed, 2},
                                 {6, closed, forced_open, 0},
                                 {7, forced_open, closed, 0}});
}

TEST_CASE("an event says when its epoch began", "[breaker][B10]") {
  bench bench{{.open_for = 5s}};
  std::vector<time_point> times;
  const auto subscribed =
      bench.circuit.subscribe([&](const transition_event& event) { times.push_back(event.at); });
  bench.clock.advance(3s);
  bench.trip();
  CHECK(times == std::vector{time_point{3s}});
}

TEST_CASE("a probe that is admitted is no transition, nor one that is given back", "[breaker][B10]") {
  bench bench;  // two probes
  bench.trip();
  bench.clock.advance(5s);
  journal all;
  const auto subscribed = bench.circuit.subscribe(all.listener(), announcements::every_transition);
  {
    auto first = bench.acquire();
    auto second = bench.acquire();
  }
  CHECK(all.heard == entries{{2, circuit_state::open, circuit_state::half_open, 0}});  // came in the middle
}

TEST_CASE("a listener may call back into its breaker", "[breaker][B10][B10a]") {
  using enum circuit_state;
  bench bench;
  journal all;
  std::vector<circuit_state> seen;
  const auto subscribed = bench.circuit.subscribe(
      [&](const transition_event& event) {
        all.listener()(event);
        seen.push_back(bench.circuit.snapshot().state);
        if (event.to == open) {
          CHECK_FALSE(bench.circuit.try_acquire());
          bench.circuit.reset();
          CHECK(bench.report(outcome::failure) == disposition::counted);
        }
      },
      announcements::every_transition);
  bench.fail(3);
  CHECK(all.heard == entries{{1, closed, open, 1}, {2, open, closed, 1}});
  CHECK(seen == std::vector{open, closed});
  CHECK(bench.circuit.snapshot().consecutive_failures == 1);
}

TEST_CASE("what a listener throws reaches nobody and is counted", "[breaker][B10][B10c]") {
  bench bench;
  journal all;
  const auto thrower =
      bench.circuit.subscribe([](const transition_event&) { throw std::runtime_error{"mine"}; });
  const auto other = bench.circuit.subscribe(all.listener());
  bench.trip();
  CHECK(all.heard.size() == 1);
  CHECK(bench.circuit.snapshot().listener_failures == 1);
  CHECK(bench.circuit.snapshot().missed_transitions == 0);
}

TEST_CASE("a listener that has unsubscribed hears nothing more", "[breaker][B10]") {
  bench bench;
  journal all;
  auto subscribed = bench.circuit.subscribe(all.listener());
  SECTION("by name") {
    subscribed.unsubscribe();
  }
  SECTION("by the end of its subscription") {
    subscribed = {};
  }
  bench.trip();
  CHECK(all.heard.empty());
}

TEST_CASE("a subscription may outlive its breaker", "[breaker][B10]") {
  journal all;
  subscription subscribed;
  {
    bench bench;
    subscribed = bench.circuit.subscribe(all.listener());
    bench.trip();
  }
  subscribed.unsubscribe();
  CHECK(all.heard.size() == 1);
}

TEST_CASE("a breaker refuses an empty listener", "[breaker][B10][options]") {
  bench bench;
  CHECK_THROWS_AS(bench.circuit.subscribe({}), std::invalid_argument);
}

TEST_CASE("whoever subscribes while the circuit changes misses no later transition", "[breaker][B10]") {
  // The subscription interrupted by a transition before each of its accesses, and the other way about.
  using circuit_type = brownout::circuit_breaker<consecutive_failures, manual_clock, interrupted_atomics>;
  const bool subscribes_first = GENERATE(true, false);
  for (int access = 0;; ++access) {
    manual_clock clock;
    circuit_type circuit{consecutive_failures{1}, bench::plain({.open_for = 5s}), clock};
    journal all;
    std::optional<subscription> subscribed;
    const auto subscribe = [&] {
      subscribed = circuit.subscribe(all.listener(), announcements::every_transition);
    };
    const auto trip = [&] { circuit.force_open(); };
    interruption::action = [&] { subscribes_first ? trip() : subscribe(); };
    interruption::accesses_left = access;
    subscribes_first ? subscribe() : trip();
    interruption::accesses_left = -1;
    if (std::exchange(interruption::action, nullptr)) break;
    circuit.reset();
    INFO("interrupted before access " << access);
    REQUIRE_FALSE(all.heard.empty());
    CHECK(std::get<0>(all.heard.back()) == 2);
  }
}

TEST_CASE("what came before the first listener was missed by nobody", "[breaker][B10]") {
  using circuit_type = brownout::circuit_breaker<consecutive_failures, manual_clock, interrupted_atomics>;
  for (int access = 0;; ++access) {
    manual_clock clock;
    circuit_type circuit{consecutive_failures{1}, bench::plain({.open_for = 5s}), clock};
    for (int i = 0; i < 1000; ++i) circuit.reset();
    interruption::action = [&] { circuit.reset(); };
    interruption::accesses_left = access;
    const auto subscribed = circuit.subscribe([](const transition_event&) {});
    interruption::accesses_left = -1;
    if (std::exchange(interruption::action, nullptr)) break;
    CHECK(circuit.snapshot().missed_transitions == 0);
  }
}
