// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/detector/failure_balance.hpp"
#include "brownout/detector/standard_detector.hpp"

#include <cstdint>

// Detectors whose counts are marks: all that they do is one pure function.

using brownout::consecutive_failures;
using brownout::failure_balance;
using brownout::transition_cause;

namespace {

constexpr std::uint32_t most = 2046;
constexpr brownout::call_sample success{.failed = false};
constexpr brownout::call_sample failure{.failed = true};

/// What stands in the word after `call`, and whether the circuit opens, for the reason that the detector is
/// named after.
struct verdict {
  std::uint32_t marks;
  bool trips;

  friend constexpr bool operator==(const verdict&, const verdict&) = default;
};
constexpr verdict judged(const auto& detector, std::uint32_t marks, const brownout::call_sample& call,
                         transition_cause cause) {
  const auto seen = detector.judge(brownout::no_evidence{}, marks, call, most);
  return {seen.marks, seen.trips && seen.cause == cause};
}
constexpr verdict judged(const consecutive_failures& detector, std::uint32_t marks,
                         const brownout::call_sample& call) {
  return judged(detector, marks, call, transition_cause::consecutive_failures);
}
constexpr verdict judged(const failure_balance& detector, std::uint32_t marks,
                         const brownout::call_sample& call) {
  return judged(detector, marks, call, transition_cause::failure_balance);
}

static_assert(judged(consecutive_failures{3}, 0, failure) == verdict{1, false});
static_assert(judged(consecutive_failures{3}, 1, failure) == verdict{2, false});
static_assert(judged(consecutive_failures{3}, 2, failure) == verdict{3, true});
static_assert(judged(consecutive_failures{3}, 3, failure) == verdict{4, true});
static_assert(judged(consecutive_failures{3}, 2, success) == verdict{0, false});
static_assert(judged(consecutive_failures{3}, most, failure) == verdict{most, true});

static_assert(judged(failure_balance{3}, 0, success) == verdict{0, false});
static_assert(judged(failure_balance{3}, 2, success) == verdict{1, false});
static_assert(judged(failure_balance{3}, 1, failure) == verdict{2, false});
static_assert(judged(failure_balance{3}, 2, failure) == verdict{3, true});
static_assert(judged(failure_balance{3}, most, failure) == verdict{most, true});

}  // namespace

TEST_CASE("a circuit on which nothing failed has nothing marked", "[detector]") {
  CHECK(consecutive_failures{}.first_marks(most) == 0);
  CHECK(failure_balance{}.first_marks(most) == 0);
}

TEST_CASE("a call that is overdue, and has not ended, leaves the marks alone", "[detector][B11]") {
  constexpr brownout::call_sample overdue{.in_flight = true};
  CHECK(judged(consecutive_failures{3}, 2, overdue) == verdict{2, false});
  CHECK(judged(failure_balance{3}, 2, overdue) == verdict{2, false});
  const brownout::standard_detector standard;
  std::uint32_t marks = 0;
  for (int i = 0; i < 9; ++i) marks = standard.judge(brownout::no_evidence{}, marks, failure, most).marks;
  CHECK(standard.judge(brownout::no_evidence{}, marks, overdue, most) == brownout::judgement{marks, false});
}
