// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/defects/breakers.hpp"

#include "brownout/core/classifier.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using namespace breaker_test;

TEMPLATE_TEST_CASE("apart from its defect a twin is a breaker like ours", "[breaker][defects][B3][B4]",
                   ours<>, right_twin) {
  TestType subject;
  CHECK(calls_until_open(subject, outcome::failure) == 3);
  subject.clock.advance(5s - 1ns);
  CHECK_FALSE(subject.acquire());
  subject.clock.advance(1ns);
  auto probes = admit_all(subject);
  REQUIRE(probes.size() == 2);
  CHECK(probes[0].complete(outcome::success) == disposition::counted);
  CHECK(subject.state() == circuit_state::half_open);
  SECTION("both probes succeed: closed, with empty statistics") {
    CHECK(probes[1].complete(outcome::success) == disposition::counted);
    CHECK(subject.state() == circuit_state::closed);
    CHECK(calls_until_open(subject, outcome::failure) == 3);
  }
  SECTION("one fails: open for as long again") {
    CHECK(probes[1].complete(outcome::failure) == disposition::counted);
    CHECK(time_until_admitted(subject, 1s) == 5s);
  }
}

// 2: resilience4j, failsafe-go, gobreaker (all ran).
namespace {

/// resilience4j, failsafe-go: whatever is released adds a place.
class adds_a_place_for_any_release : public right_twin {
 public:
  using right_twin::right_twin;

 private:
  void give_back(const call& /*ended*/) override { ++places_; }
};

/// gobreaker: `done` can be called again.
class lets_report_again : public right_twin {
 public:
  using right_twin::right_twin;

 private:
  disposition report(call& ended, outcome result) override {
    ended.settled = false;
    return right_twin::report(ended, result);
  }
};

/// How many calls a half-open circuit admits when 50 calls of the closed era are given up.
template <class Subject>
std::size_t admitted_after_stale_releases(std::uint32_t probes) {
  Subject subject{terms{.probes = probes}};
  std::vector<typename Subject::call> stale;
  for (int i = 0; i < 50; ++i) stale.push_back(admit(subject));
  open_and_wait(subject);
  const auto before = admit_all(subject);
  for (auto& each : stale) each.complete(outcome::cancelled);
  return before.size() + admit_all(subject).size();
}

/// The same when one probe of one is given up five times over.
template <class Subject>
std::size_t admitted_after_repeated_release() {
  Subject subject{one_probe};
  open_and_wait(subject);
  auto probe = admit(subject);
  for (int i = 0; i < 5; ++i) probe.complete(outcome::ignored);
  return admit_all(subject).size();
}

/// What state it is in when one closed call reports its failure six times.
template <class Subject>
circuit_state after_six_reports_of_one_call() {
  Subject subject;
  auto call = admit(subject);
  for (int i = 0; i < 6; ++i) call.complete(outcome::failure);
  return subject.state();
}

}  // namespace

TEST_CASE("stale and repeated completions never let more probes in", "[breaker][defect-2][B4][B4c]") {
  SECTION("fifty stale releases add no place") {
    const auto probes = GENERATE(2u, 100u);
    CHECK(admitted_after_stale_releases<ours<>>(probes) == probes);
    CHECK(admitted_after_stale_releases<right_twin>(probes) == probes);

    CHECK(admitted_after_stale_releases<adds_a_place_for_any_release>(probes) == probes + 50);
  }
  SECTION("a probe that is released again adds no place") {
    CHECK(admitted_after_repeated_release<ours<>>() == 1);
    CHECK(admitted_after_repeated_release<right_twin>() == 1);

    CHECK(admitted_after_repeated_release<lets_report_again>() == 5);
  }
  SECTION("a call that is reported six times has failed once") {
    CHECK(after_six_reports_of_one_call<ours<>>() == circuit_state::closed);
    CHECK(after_six_reports_of_one_call<right_twin>() == circuit_state::closed);

    CHECK(after_six_reports_of_one_call<lets_report_again>() == circuit_state::open);
  }
}

// 3: resilience4j#544, #903, #935, #2028, #2289; opossum#57, #276, #388; Sentinel#1638, #2136; Hystrix#1861;
// Polly#717 (ran on four of four).
namespace {

/// All of them: a probe's place is waited for, for ever.
class waits_for_ever : public right_twin {
 public:
  explicit waits_for_ever(terms agreed = {}) : right_twin{without_lease(agreed)} {}

 private:
  static terms without_lease(terms agreed) {
    agreed.lease = 24h * 365 * 100;
    return agreed;
  }
};

/// The same, with a callback that is told of the probe once it has its place.
class calls_back_unguarded : public waits_for_ever {
 public:
  std::function<void()> on_probe = [] {};

  std::optional<call> acquire() override {
    auto admitted = right_twin::acquire();
    if (admitted && state() == circuit_state::half_open) on_probe();
    return admitted;
  }
};

/// How the peers wrap a function: whatever throws on the way, nobody settles the call.
template <class Subject, class F, class C>
void call_through(Subject& subject, F function, C classify) {
  auto admitted = admit(subject);
  admitted.complete(classify(function()));
}
template <class F, class C>
void call_through(ours<>& subject, F function, C classify) {
  subject.circuit.call(function, classify);
}

/// Until the next probe is admitted.
template <class Subject>
std::optional<duration> wait_after_hung_probe() {
  Subject subject{one_probe};
  open_and_wait(subject);
  [[maybe_unused]] const auto hung = admit(subject);
  return time_until_admitted(subject, 1s);
}
template <class Subject>
std::optional<duration> wait_after_thread_that_exits() {
  Subject subject{one_probe};
  open_and_wait(subject);
  auto held = std::make_unique<typename Subject::call>(admit(subject));
  std::thread{[probe = std::move(held)] {}}.join();
  return time_until_admitted(subject, 1s);
}
template <class Subject>
std::optional<duration> wait_after_predicate_that_throws() {
  Subject subject{one_probe};
  open_and_wait(subject);
  const auto classify = [](int) -> outcome { throw std::runtime_error{"the predicate's"}; };
  try {
    call_through(
        subject, [] { return 1; }, classify);
  } catch (const std::runtime_error&) {  // of a twin
  }
  return time_until_admitted(subject, 1s);
}

}  // namespace

TEST_CASE("a lost probe does not leave the circuit half-open for ever", "[breaker][defect-3][B5]") {
  SECTION("a probe that never reports ends by its lease") {
    CHECK(wait_after_hung_probe<ours<>>() == 2s);
    CHECK(wait_after_hung_probe<right_twin>() == 2s);

    CHECK(wait_after_hung_probe<waits_for_ever>() == std::nullopt);
  }
  SECTION("a thread that exits with a probe gives it back") {
    CHECK(wait_after_thread_that_exits<ours<>>() == 0s);
    CHECK(wait_after_thread_that_exits<right_twin>() == 2s);

    CHECK(wait_after_thread_that_exits<waits_for_ever>() == std::nullopt);
  }
  SECTION("a predicate that throws takes no probe with it") {
    CHECK(wait_after_predicate_that_throws<ours<>>() == 0s);
    CHECK(wait_after_predicate_that_throws<right_twin>() == 2s);

    CHECK(wait_after_predicate_that_throws<waits_for_ever>() == std::nullopt);
  }
  SECTION("a callback that throws takes no probe with it") {
    ours<> breaker{one_probe};
    open_and_wait(breaker);
    const auto thrower = breaker.circuit.subscribe([](const auto&) { throw std::runtime_error{"mine"}; },
                                                   brownout::announcements::every_transition);
    CHECK(admit(breaker).complete(outcome::success) == disposition::counted);
    CHECK(breaker.state() == circuit_state::closed);

    calls_back_unguarded twin;
    open_and_wait(twin);
    twin.on_probe = [] { throw std::runtime_error{"mine"}; };
    CHECK_THROWS_AS(twin.acquire(), std::runtime_error);
    CHECK_THROWS_AS(twin.acquire(), std::runtime_error);  // both places are gone
    CHECK(time_until_admitted(twin, 1s) == std::nullopt);
  }
}
