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

// 1: resilience4j, failsafe-go and opossum (ran), Polly, Hystrix, Sentinel; gobreaker#122.
namespace {

/// All but gobreaker: a result is scored by the state that it meets.
class scores_whatever_comes : public right_twin {
  disposition report(call& ended, outcome result) override {
    ended.era = era_;
    return right_twin::report(ended, result);
  }
};

/// gobreaker: late results are dropped, but nobody is told.
class drops_silently : public right_twin {
  disposition report(call& ended, outcome result) override {
    right_twin::report(ended, result);
    return disposition::counted;
  }
};

struct after_late_results {
  circuit_state state;
  disposition told;
};

/// Two calls of the closed era end while the two probes are in flight.
template <class Subject>
after_late_results two_late_results(outcome result) {
  Subject subject;
  auto one = admit(subject);
  auto other = admit(subject);
  open_and_wait(subject);
  const auto probes = admit_all(subject);
  REQUIRE(probes.size() == 2);
  one.complete(result);
  const auto told = other.complete(result);
  return {subject.state(), told};
}

}  // namespace

TEST_CASE("defect 1: a late result counts for nothing, and its caller is told", "[breaker][defect-1][B6]") {
  const auto result = GENERATE(outcome::success, outcome::failure);
  for (const auto& seen : {two_late_results<ours<>>(result), two_late_results<right_twin>(result)}) {
    CHECK(seen.state == circuit_state::half_open);
    CHECK(seen.told == disposition::late);
  }

  CHECK(two_late_results<scores_whatever_comes>(result).state ==
        (result == outcome::success ? circuit_state::closed : circuit_state::open));
  CHECK(two_late_results<drops_silently>(result).told == disposition::counted);
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
  Subject subject{terms{.probes = 1}};
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

TEST_CASE("defect 2: stale and repeated completions never let more probes in", "[breaker][defect-2][B4]") {
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

constexpr terms one_probe{.probes = 1};

/// Until the next probe is admitted.
template <class Subject>
std::optional<duration> wait_after_hung_probe() {
  Subject subject{one_probe};
  open_and_wait(subject);
  const auto hung = admit(subject);
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
  CHECK_THROWS_AS(call_through(
                      subject, [] { return 1; }, classify),
                  std::runtime_error);
  return time_until_admitted(subject, 1s);
}

}  // namespace

TEST_CASE("defect 3: a lost probe does not leave the circuit half-open for ever", "[breaker][defect-3][B5]") {
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
  SECTION("a predicate that throws gives the probe back") {
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

// 4: success (Polly; opossum, ran); failure (failsafe-go, ran); either (gobreaker, resilience4j).
namespace {

template <outcome Taken>
class takes_cancelled_for : public right_twin {
 public:
  using right_twin::right_twin;

 private:
  disposition report(call& ended, outcome result) override {
    const bool says_nothing = result == outcome::cancelled || result == outcome::ignored;
    return right_twin::report(ended, says_nothing ? Taken : result);
  }
};
using takes_cancelled_for_success = takes_cancelled_for<outcome::success>;
using takes_cancelled_for_failure = takes_cancelled_for<outcome::failure>;

/// Of one probe of one, which ends without a verdict.
template <class Subject>
circuit_state after_probe_without_verdict(outcome result) {
  Subject subject{one_probe};
  open_and_wait(subject);
  admit(subject).complete(result);
  if (subject.state() == circuit_state::half_open) CHECK(admit_all(subject).size() == 1);
  return subject.state();
}

/// How many failures open the circuit after two failures and a call without a verdict.
template <class Subject>
std::uint32_t failures_after_call_without_verdict(outcome result) {
  Subject subject;
  for (const auto each : {outcome::failure, outcome::failure, result}) admit(subject).complete(each);
  return calls_until_open(subject, outcome::failure);
}

}  // namespace

TEST_CASE("defect 4: a cancelled probe is neither a success nor a failure", "[breaker][defect-4][B7]") {
  const auto result = GENERATE(outcome::cancelled, outcome::ignored);
  SECTION("half-open: its place goes back, and that is all") {
    CHECK(after_probe_without_verdict<ours<>>(result) == circuit_state::half_open);
    CHECK(after_probe_without_verdict<right_twin>(result) == circuit_state::half_open);

    CHECK(after_probe_without_verdict<takes_cancelled_for_success>(result) == circuit_state::closed);
    CHECK(after_probe_without_verdict<takes_cancelled_for_failure>(result) == circuit_state::open);
  }
  SECTION("closed: it neither ends a row of failures nor lengthens it") {
    CHECK(failures_after_call_without_verdict<ours<>>(result) == 1);
    CHECK(failures_after_call_without_verdict<right_twin>(result) == 1);

    CHECK(failures_after_call_without_verdict<takes_cancelled_for_success>(result) == 3);
    CHECK(failures_after_call_without_verdict<takes_cancelled_for_failure>(result) == 0);
  }
}
