// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include <functional>

using namespace system_test;

namespace {

/// One dependency that is probed every 10 s with a deadline of 5 s and opens after 3 failures, for 20 s, with
/// 2 probes.
options one_dependency() {
  options given{{.levels = {.ladder = ladder}}};
  given.suspect_interval = given.probe_interval;
  given.dependencies.push_back(probed("openai", 1, 3, 20s, 2));
  return given;
}

constexpr auto small_matrix = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::read_only_access, .last = level::minimal}});

/// The one dependency, stepped by hand.
struct single {
  explicit single(options given = one_dependency()) : watched{small_matrix, given, given.claims(), clock} {}

  auto step_after(duration wait) {
    clock.advance(wait);
    return watched.step(clock.now());
  }
  void report(const probe_order& order, outcome result, std::string reason = "") {
    watched.report(order, {result, std::move(reason)}, clock.now());
  }
  auto component() { return watched.snapshot(clock.now()).components[0]; }
  std::uint32_t failures() { return component().circuit.consecutive_failures; }

  manual_clock clock{time_point{1h}};
  brownout::supervisor<decltype(small_matrix), manual_clock> watched;
};

}  // namespace

TEST_CASE("a dependency is probed at once, and then every interval", "[system][S1]") {
  single one;
  auto plan = one.step_after(0s);
  REQUIRE(plan.probes.size() == 1);
  CHECK(plan.probes[0].dependency == 0);
  CHECK(plan.probes[0].deadline == one.clock.now() + 5s);
  one.clock.advance(2s);
  one.report(plan.probes[0], outcome::success);

  CHECK(one.step_after(8s - 1ns).probes.empty());  // the interval counts from start to start
  plan = one.step_after(1ns);
  CHECK(plan.probes.size() == 1);
  CHECK(one.step_after(1s).probes.empty());  // never two at once
}

TEST_CASE("a probe that fails is repeated sooner, until one succeeds", "[system][S1][S1f]") {
  auto given = one_dependency();
  given.suspect_interval = 2s;
  single one{given};
  auto plan = one.step_after(0s);
  one.report(plan.probes[0], outcome::failure);
  CHECK(one.step_after(2s - 1ns).probes.empty());
  plan = one.step_after(1ns);
  REQUIRE(plan.probes.size() == 1);
  one.report(plan.probes[0], outcome::success);
  CHECK(one.step_after(10s - 1ns).probes.empty());
  plan = one.step_after(1ns);
  REQUIRE(plan.probes.size() == 1);

  // One that does not come back is a failure too, and one more each time.
  CHECK(one.step_after(5s).probes.empty());  // its deadline
  CHECK(one.failures() == 1);
  static_cast<void>(one.step_after(2s - 1ns));
  CHECK(one.failures() == 1);
  static_cast<void>(one.step_after(1ns));
  CHECK(one.failures() == 2);
}

TEST_CASE("left out, a failed probe is repeated after a fifth of the interval", "[system][S1][options]") {
  auto given = one_dependency();
  given.suspect_interval = {};
  CHECK(given.probe_again_after() == 2s);
  given.probe_interval = 2ms;
  CHECK(given.probe_again_after() == 1ms);
}

TEST_CASE("a plan says when to step again", "[system][S2][S2b]") {
  auto given = one_dependency();
  given.refresh = 1min;
  single one{given};
  auto plan = one.step_after(0s);
  CHECK(plan.next == one.clock.now() + 5s);  // the deadline
  one.report(plan.probes[0], outcome::success);
  CHECK(one.step_after(0s).next == one.clock.now() + 10s);  // the next probe

  given.refresh = 100ms;
  single refreshed{given};
  CHECK(refreshed.step_after(0s).next == refreshed.clock.now() + 100ms);
}

TEST_CASE("a probe's answer is remembered for people", "[system][S1]") {
  single one;
  auto plan = one.step_after(0s);
  CHECK_FALSE(one.component().last_probe_at);
  CHECK(one.component().probed);
  one.clock.advance(30ms);
  one.report(plan.probes[0], outcome::failure, "password refused");
  CHECK(one.component().last_error == "password refused");
  CHECK(one.component().last_probe_at == one.clock.now());
  CHECK(one.component().last_probe_latency == 30ms);
  CHECK(one.failures() == 1);

  plan = one.step_after(10s - 30ms);
  one.report(plan.probes[0], outcome::failure);
  CHECK(one.component().last_error == "probe failed");
  plan = one.step_after(10s);
  one.report(plan.probes[0], outcome::ignored, "shutting down");
  CHECK(one.component().last_error == "probe failed");
  CHECK(one.failures() == 2);
  plan = one.step_after(10s);
  one.report(plan.probes[0], outcome::success, "fine");
  CHECK(one.component().last_error.empty());
  CHECK(one.failures() == 0);
}

TEST_CASE("a hung probe fails at its deadline, and its answer afterwards counts for nothing",
          "[system][S1][S1b]") {
  single one;
  const auto plan = one.step_after(0s);
  CHECK(one.step_after(5s - 1ns).probes.empty());
  CHECK(one.failures() == 0);
  CHECK_FALSE(one.component().probe_hanging);
  CHECK(one.step_after(1ns).probes.empty());
  CHECK(one.failures() == 1);
  CHECK(one.component().probe_hanging);
  CHECK(one.component().last_error == "no answer within 5s");

  one.clock.advance(1s);
  one.report(plan.probes[0], outcome::success);
  CHECK(one.failures() == 1);
  CHECK_FALSE(one.component().probe_hanging);
  CHECK(one.component().recent.successes == 0);

  CHECK(one.step_after(4s - 1ns).probes.empty());
  CHECK(one.step_after(1ns).probes.size() == 1);  // it has returned, so the next one may start
}

TEST_CASE("an answer after the deadline is a failure also when no step came between", "[system][S1]") {
  single one;
  const auto plan = one.step_after(0s);
  one.clock.advance(5s + 1ns);
  one.report(plan.probes[0], outcome::success);
  CHECK(one.failures() == 1);
  CHECK(one.component().last_error == "no answer within 5s");
}

TEST_CASE("a probe that was given up after its deadline says nothing", "[system][S1]") {
  single one;
  const auto plan = one.step_after(0s);
  one.clock.advance(5s + 1ns);
  one.report(plan.probes[0], outcome::cancelled);
  CHECK(one.failures() == 0);
  CHECK(one.component().last_error.empty());
}

TEST_CASE("a probe may answer with a bool or an outcome", "[system][S1]") {
  const brownout::probe_context now{.deadline = time_point{1h}};
  const brownout::probe well = [](const brownout::probe_context&) { return true; };
  CHECK(well(now).result == outcome::success);
  CHECK(well.is_self_contained());
  const brownout::probe unwell = [](const brownout::probe_context&) { return false; };
  CHECK(unwell(now).result == outcome::failure);
  const brownout::probe silent = [](const brownout::probe_context&) { return outcome::ignored; };
  CHECK(silent(now).result == outcome::ignored);
  const brownout::probe shared{std::make_shared<bool>(true),
                               [](const bool& is_well, const brownout::probe_context&) { return is_well; }};
  CHECK(shared(now).result == outcome::success);
  const brownout::probe brief = [] { return true; };
  CHECK(brief(now).result == outcome::success);
  const brownout::probe brief_and_shared{std::make_shared<bool>(false),
                                         [](bool& is_well) { return is_well; }};
  CHECK(brief_and_shared(now).result == outcome::failure);
}

TEST_CASE("at the deadline an answer is too late, whether it or a step comes first", "[system][S1]") {
  single one;
  const auto plan = one.step_after(0s);
  SECTION("a step") {
    CHECK(one.step_after(5s).probes.empty());
    one.report(plan.probes[0], outcome::success);
    CHECK(one.failures() == 1);
  }
  SECTION("the answer") {
    one.clock.advance(5s);
    one.report(plan.probes[0], outcome::success);
    CHECK(one.failures() == 1);
  }
  SECTION("an answer just before it counts") {
    one.clock.advance(5s - 1ns);
    one.report(plan.probes[0], outcome::success);
    CHECK(one.failures() == 0);
    CHECK(one.component().recent.successes == 1);
  }
}

TEST_CASE("while a probe hangs no second one starts, and each interval counts as a failure",
          "[system][S1][S1c]") {
  single one;
  const auto plan = one.step_after(0s);
  CHECK(one.step_after(5s).probes.empty());
  CHECK(one.failures() == 1);
  CHECK(one.step_after(5s - 1ns).probes.empty());
  CHECK(one.failures() == 1);
  CHECK(one.step_after(1ns).probes.empty());  // the next one would have been due
  CHECK(one.failures() == 2);
  CHECK(one.step_after(10s - 1ns).probes.empty());
  CHECK(one.failures() == 2);
  CHECK(one.step_after(1ns).probes.empty());
  CHECK(one.component().circuit.state == circuit_state::open);

  // It hangs through the open period too: the circuit tries, fails and opens again, still without a second
  // probe.
  CHECK(one.step_after(20s).probes.empty());
  CHECK(one.component().circuit.state == circuit_state::open);
  CHECK(one.component().circuit.epoch == 3);
  CHECK(one.component().probe_hanging);

  one.report(plan.probes[0], outcome::success);
  CHECK(one.component().circuit.state == circuit_state::open);
  CHECK(one.step_after(20s - 1ns).probes.empty());
  CHECK(one.step_after(1ns).probes.size() == 1);
}

TEST_CASE("a probe that may take longer than the interval fails once when it hangs, not twice",
          "[system][S1]") {
  const duration timeout = GENERATE(duration{10s}, duration{25s});
  auto given = one_dependency();
  given.dependencies[0].timeout = timeout;
  single one{given};
  static_cast<void>(one.step_after(0s));
  CHECK(one.step_after(timeout).probes.empty());
  CHECK(one.failures() == 1);
  CHECK(one.step_after(10s - 1ns).probes.empty());
  CHECK(one.failures() == 1);
  CHECK(one.step_after(1ns).probes.empty());
  CHECK(one.failures() == 2);
}

TEST_CASE("an answer to an earlier ticket, or given twice, changes nothing", "[system][S1]") {
  single one;
  const auto first = one.step_after(0s).probes[0];
  one.report(first, outcome::success);
  one.report(first, outcome::failure);
  CHECK(one.failures() == 0);
  const auto second = one.step_after(10s).probes[0];
  CHECK(second.ticket != first.ticket);
  one.report(first, outcome::failure);
  CHECK(one.failures() == 0);
  one.report(second, outcome::failure);
  CHECK(one.failures() == 1);
}

TEST_CASE("an open circuit is probed when its period is over, and half-open probes follow at once",
          "[system][S1][B3]") {
  single one;
  for (int i = 0; i < 3; ++i)
    one.report(one.step_after(i == 0 ? 0s : 10s).probes[0], outcome::failure, "refused");
  REQUIRE(one.component().circuit.state == circuit_state::open);

  CHECK(one.step_after(20s - 1ns).probes.empty());
  auto plan = one.step_after(1ns);
  REQUIRE(plan.probes.size() == 1);
  CHECK(one.component().circuit.state == circuit_state::half_open);
  one.clock.advance(3ms);
  one.report(plan.probes[0], outcome::success);
  CHECK(one.component().circuit.state == circuit_state::half_open);
  plan = one.step_after(0s);
  REQUIRE(plan.probes.size() == 1);
  one.report(plan.probes[0], outcome::success);
  CHECK(one.component().circuit.state == circuit_state::closed);
  CHECK(one.step_after(10s - 1ns).probes.empty());
  CHECK(one.step_after(1ns).probes.size() == 1);
}

TEST_CASE("an open period shorter than the interval is not waited out to the interval", "[system][S1]") {
  auto given = one_dependency();
  given.dependencies[0].breaker.open_for = 4s;
  single one{given};
  for (int i = 0; i < 3; ++i) one.report(one.step_after(i == 0 ? 0s : 10s).probes[0], outcome::failure);
  CHECK(one.step_after(4s - 1ns).probes.empty());
  auto plan = one.step_after(1ns);
  REQUIRE(plan.probes.size() == 1);
  one.report(plan.probes[0], outcome::failure);  // and so again after a failed probe
  CHECK(one.step_after(4s - 1ns).probes.empty());
  CHECK(one.step_after(1ns).probes.size() == 1);
}

TEST_CASE("a probe that says nothing about a half-open circuit is repeated after the interval, not at once",
          "[system][S1]") {
  single one;
  for (int i = 0; i < 3; ++i) one.report(one.step_after(i == 0 ? 0s : 10s).probes[0], outcome::failure);
  const auto plan = one.step_after(20s);
  REQUIRE(plan.probes.size() == 1);
  one.report(plan.probes[0], outcome::ignored);
  CHECK(one.component().circuit.state == circuit_state::half_open);
  CHECK(one.step_after(10s - 1ns).probes.empty());
  CHECK(one.step_after(1ns).probes.size() == 1);
}

TEST_CASE("a probe that hangs while others do not delays none of them", "[system][S1]") {
  staging staging;
  staging.run(1s);
  staging.answers[number(dependency::database)] = health::hangs;
  const auto before = staging.orders.size();
  staging.run(100s);

  CHECK(staging.state(dependency::database) == circuit_state::open);
  CHECK(staging.orders_of(dependency::database) == 2);  // the one that answered and the one that hangs
  CHECK(staging.orders.size() - before == 3 * 10 + 1);
  for (const auto one : {dependency::openai, dependency::redis, dependency::s3}) {
    CHECK(staging.state(one) == circuit_state::closed);
    CHECK(staging.orders_of(one) == 11);
  }
  CHECK(staging.snapshot().score == 70);
}

TEST_CASE("a hang is noticed in as many intervals as it takes failures, and recovery needs no traffic",
          "[system][S1]") {
  staging staging;
  staging.run(1s);
  staging.answers[number(dependency::database)] = health::hangs;  // opens after 3
  staging.run(9s + 5s + 10s + 5s);  // next probe, its deadline, two intervals less the deadline
  CHECK(staging.state(dependency::database) == circuit_state::open);

  staging.answers[number(dependency::database)] = health::up;
  staging.report(staging.orders.back(), true);  // too late to count, but it has returned
  for (const auto& order : staging.orders) staging.report(order, true);
  staging.run(20s);
  CHECK(staging.state(dependency::database) == circuit_state::closed);
}

TEST_CASE("an empty function is no probe", "[system][S1]") {
  const std::function<bool()> none;  // as from a configuration that leaves it out
  CHECK(!brownout::probe{none});
  bool (*const nothing)() = nullptr;
  CHECK(!brownout::probe{nothing});
  CHECK(brownout::probe{std::function<bool()>{[] { return true; }}});
  CHECK(brownout::probe{+[] { return true; }});
}
