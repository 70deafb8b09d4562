// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/defects/breakers.hpp"

#include <cstdint>

using namespace breaker_test;

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

TEST_CASE("a late result counts for nothing, and its caller is told", "[breaker][defect-1][B6][B6b]") {
  const auto result = GENERATE(outcome::success, outcome::failure);
  for (const auto& seen : {two_late_results<ours<>>(result), two_late_results<right_twin>(result)}) {
    CHECK(seen.state == circuit_state::half_open);
    CHECK(seen.told == disposition::late);
  }

  CHECK(two_late_results<scores_whatever_comes>(result).state ==
        (result == outcome::success ? circuit_state::closed : circuit_state::open));
  CHECK(two_late_results<drops_silently>(result).told == disposition::counted);
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

TEST_CASE("a cancelled probe is neither a success nor a failure", "[breaker][defect-4][B7]") {
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
