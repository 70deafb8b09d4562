// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/any_of.hpp"
#include "brownout/detector/failure_balance.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"
#include "brownout/detector/standard_detector.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::any_of;
using brownout::failure_balance;
using brownout::failure_rate;
using brownout::slow_call_rate;
using brownout::standard_detector;
using brownout::transition_cause;
using brownout::transition_event;

namespace {

/// A breaker with some detector, and what its listener has heard.
template <class Detector>
struct heard_breaker {
  explicit heard_breaker(Detector detector, breaker_options options = {.open_for = 5s})
      : circuit{detector, bench::plain(std::move(options)), clock} {}

  void report(outcome result, std::string_view why = {}, duration took = {}) {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    clock.advance(took);
    CHECK(admitted->complete(result, {}, why) == disposition::counted);
  }
  void fail(int times = 1) {
    for (int i = 0; i < times; ++i) report(outcome::failure);
  }
  void succeed(int times = 1) {
    for (int i = 0; i < times; ++i) report(outcome::success);
  }
  [[nodiscard]] const transition_event& last() const {
    REQUIRE_FALSE(heard.empty());
    return heard.back();
  }

  manual_clock clock;
  brownout::circuit_breaker<Detector, manual_clock> circuit;
  std::vector<transition_event> heard;
  brownout::subscription listening =
      circuit.subscribe([this](const transition_event& event) { heard.push_back(event); },
                        brownout::announcements::every_transition);
};

/// A detector of a user's own, which says nothing of a cause.
struct at_the_first_failure : consecutive_failures {
  [[nodiscard]] constexpr brownout::judgement judge(brownout::no_evidence /*none*/, std::uint32_t marks,
                                                    const brownout::call_sample& call,
                                                    std::uint32_t /*most_marks*/) const noexcept {
    return {marks, call.failed};
  }
};

std::vector<transition_cause> causes_of(const std::vector<transition_event>& heard) {
  std::vector<transition_cause> causes;
  for (const auto& event : heard) causes.push_back(event.cause);
  return causes;
}

}  // namespace

TEST_CASE("an opening says which detector tripped, and what it had counted", "[breaker][B17][B17a]") {
  SECTION("failures in a row") {
    heard_breaker bench{consecutive_failures{3}};
    bench.succeed(7);
    bench.fail(3);
    CHECK(bench.last().cause == transition_cause::consecutive_failures);
    CHECK(bench.last().consecutive_failures == 3);
    CHECK(bench.last().calls == 0);
  }
  SECTION("failures more than successes") {
    heard_breaker bench{failure_balance{2}};
    bench.fail();
    bench.succeed();
    bench.fail(2);
    CHECK(bench.last().cause == transition_cause::failure_balance);
    CHECK(bench.last().failure_balance == 2);
  }
  SECTION("the default, by failures in a row") {
    heard_breaker bench{standard_detector{}};
    bench.fail(9);
    bench.clock.advance(60ms);
    bench.fail();
    CHECK(bench.last().cause == transition_cause::consecutive_failures);
    CHECK(bench.last().consecutive_failures == 10);
    CHECK(bench.last().failure_balance == 10);
  }
  SECTION("the default, by failures more than successes") {
    heard_breaker bench{standard_detector{}};
    for (int i = 0; i < 4; ++i) {
      bench.fail(8);
      bench.succeed();
      bench.clock.advance(60ms);
    }
    bench.fail(2);
    CHECK(bench.last().cause == transition_cause::failure_balance);
    CHECK(bench.last().failure_balance == 30);
  }
  SECTION("a share of failures") {
    heard_breaker bench{failure_rate<>{.threshold = 0.5, .minimum_calls = 4, .window = {10}}};
    bench.succeed(2);
    bench.fail(2);
    CHECK(bench.last().cause == transition_cause::failure_rate);
    CHECK(bench.last().calls == 4);
    CHECK(bench.last().failures == 2);
    CHECK(bench.last().slow_calls == 0);
  }
  SECTION("a share of slow calls, which have not failed") {
    heard_breaker bench{
        slow_call_rate<>{.threshold = 0.5, .slower_than = 1s, .minimum_calls = 4, .window = {10}}};
    bench.succeed(2);
    bench.report(outcome::success, {}, 2s);
    bench.report(outcome::success, {}, 2s);
    CHECK(bench.last().cause == transition_cause::slow_call_rate);
    CHECK(bench.last().calls == 4);
    CHECK(bench.last().slow_calls == 2);
    CHECK(bench.last().failures == 0);
    CHECK(bench.last().text.empty());
  }
  SECTION("the second of two") {
    heard_breaker bench{
        any_of{consecutive_failures{100}, failure_rate<>{.threshold = 1, .minimum_calls = 2, .window = {2}}}};
    bench.fail(2);
    CHECK(bench.last().cause == transition_cause::failure_rate);
    CHECK(bench.last().failures == 2);
    CHECK(bench.last().consecutive_failures == 2);
  }
  SECTION("one that is not the library's") {
    heard_breaker bench{at_the_first_failure{}};
    bench.fail();
    CHECK(bench.last().cause == transition_cause::detector);
  }
}

TEST_CASE("an opening carries the text of the failure that caused it, and no other", "[breaker][B17][B17b]") {
  heard_breaker bench{consecutive_failures{2}};
  bench.report(outcome::failure, "first");
  bench.report(outcome::failure, "second");
  CHECK(bench.last().text.view() == "second");

  bench.clock.advance(5s);
  bench.report(outcome::failure, "of a probe");
  CHECK(bench.last().to == circuit_state::open);
  CHECK(bench.last().text.view() == "of a probe");

  bench.clock.advance(5s);
  bench.fail();
  CHECK(bench.last().to == circuit_state::open);
  CHECK(bench.last().text.empty());
}

TEST_CASE("every transition says what caused it", "[breaker][B17][B17c]") {
  heard_breaker bench{consecutive_failures{1}, {.open_for = 5s, .lease = 2s}};
  using enum transition_cause;
  SECTION("an outage") {
    bench.fail();
    bench.clock.advance(5s);
    bench.fail();
    bench.clock.advance(5s);
    auto lost = bench.circuit.try_acquire();
    bench.clock.advance(2s);
    bench.succeed();
    CHECK(causes_of(bench.heard) == std::vector{consecutive_failures, open_period_over, probe_failed,
                                                open_period_over, probes_lost, probes_succeeded});
  }
  SECTION("operators") {
    bench.circuit.force_open();
    bench.circuit.disable();
    bench.circuit.measure_only();
    bench.circuit.reset();
    CHECK(causes_of(bench.heard) == std::vector(4, operator_));
  }
  SECTION("holds that end") {
    bench.circuit.force_open_for(1s);
    bench.clock.advance(1s);
    bench.succeed();
    bench.circuit.disable_for(1s);
    bench.clock.advance(1s);
    bench.succeed();
    CHECK(causes_of(bench.heard) ==
          std::vector{operator_, hold_over, probes_succeeded, operator_, hold_over});
  }
}

TEST_CASE("the ramp begins and ends because calls of a half-open circuit succeeded", "[breaker][B12][B17]") {
  manual_clock clock;
  brownout::circuit_breaker circuit{
      consecutive_failures{1},
      breaker_options{.open_for = 5s, .successes = 1, .ramp = {.first = 2, .successes = 1}}, clock};
  std::vector<transition_event> heard;
  const auto listening = circuit.subscribe([&](const transition_event& event) { heard.push_back(event); },
                                           brownout::announcements::every_transition);
  static_cast<void>(circuit.try_acquire()->complete(outcome::failure));
  clock.advance(6s);
  static_cast<void>(circuit.try_acquire()->complete(outcome::success));
  static_cast<void>(circuit.try_acquire()->complete(outcome::success));
  CHECK(circuit.observed_state() == circuit_state::closed);
  using enum transition_cause;
  CHECK(causes_of(heard) ==
        std::vector{consecutive_failures, open_period_over, probes_succeeded, probes_succeeded});
}

TEST_CASE("an opening on account of a wait that was asked for says so", "[breaker][B12][B17]") {
  heard_breaker bench{consecutive_failures{3}, {.open_for = 5s, .open_on_retry_after = true}};
  const auto ask_for = [&](duration wait) {
    CHECK(bench.circuit.try_acquire()->complete(outcome::failure, wait, "429") == disposition::counted);
  };
  SECTION("of a closed circuit") {
    bench.fail();
    ask_for(7s);
    CHECK(bench.last().to == circuit_state::open);
    CHECK(bench.last().cause == transition_cause::retry_after);
    CHECK(bench.last().text.view() == "429");
    CHECK(bench.last().consecutive_failures == 1);  // before it
    SECTION("and of a half-open one") {
      bench.clock.advance(7s);
      ask_for(9s);
      CHECK(bench.last().to == circuit_state::open);
      CHECK(bench.last().cause == transition_cause::retry_after);
    }
  }
  SECTION("that would have been one in metrics only") {
    bench.circuit.measure_only();
    bench.fail();
    ask_for(7s);
    CHECK(bench.last().would_have_opened());
    CHECK(bench.last().cause == transition_cause::retry_after);
    CHECK(bench.last().consecutive_failures == 2);
    CHECK(bench.circuit.snapshot().consecutive_failures == 2);
    ask_for(7s);
    CHECK(bench.heard.size() == 2);
  }
}

TEST_CASE("the end of an outage says how long it lasted", "[breaker][B17][B17d]") {
  heard_breaker bench{consecutive_failures{1}};
  bench.clock.advance(7s);
  bench.fail();
  CHECK(bench.last().outage_lasted == 0s);
  bench.clock.advance(5s);
  bench.fail();
  bench.clock.advance(6s);
  SECTION("when it closes") {
    bench.succeed();
    CHECK(bench.last().to == circuit_state::closed);
    CHECK(bench.last().outage_lasted == 11s);
    SECTION("and no other outage") {
      bench.circuit.reset();
      CHECK(bench.last().outage_lasted == 0s);
    }
  }
  SECTION("when an operator ends it") {
    bench.circuit.disable();
    CHECK(bench.last().outage_lasted == 11s);
    bench.circuit.reset();
    CHECK(bench.last().outage_lasted == 0s);
  }
  SECTION("which a listener that came first in its middle does not know") {
    brownout::circuit_breaker<consecutive_failures, manual_clock> circuit{
        consecutive_failures{1}, breaker_test::bench::plain({.open_for = 5s}), bench.clock};
    static_cast<void>(circuit.try_acquire()->complete(outcome::failure));
    std::vector<transition_event> heard;
    const auto listening = circuit.subscribe([&](const transition_event& event) { heard.push_back(event); });
    bench.clock.advance(5s);
    static_cast<void>(circuit.try_acquire()->complete(outcome::success));
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].outage_lasted == 0s);
  }
}

TEST_CASE("every cause has a name of its own", "[core][B17]") {
  std::vector<std::string> names;
  for (int cause = 0; cause <= static_cast<int>(transition_cause::operator_); ++cause) {
    const std::string name{to_string(static_cast<transition_cause>(cause))};
    CHECK(name != "invalid");
    CHECK(std::ranges::find(names, name) == names.end());
    names.push_back(name);
  }
}
