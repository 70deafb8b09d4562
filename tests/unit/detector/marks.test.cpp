// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/detector/failure_balance.hpp"

#include <initializer_list>

// Detectors whose counts are marks: all that they do is one pure function.

using brownout::consecutive_failures;
using brownout::failure_balance;
using brownout::judgement;
using brownout::transition_cause;

namespace {

constexpr std::uint32_t most = 2046;
constexpr brownout::call_sample success{.failed = false};
constexpr brownout::call_sample failure{.failed = true};

constexpr judgement judged(const auto& detector, std::uint32_t marks, const brownout::call_sample& call) {
  return detector.judge(brownout::no_evidence{}, marks, call, most);
}

static_assert(judged(consecutive_failures{3}, 0, failure) == judgement{1, false});
static_assert(judged(consecutive_failures{3}, 1, failure) == judgement{2, false});
static_assert(judged(consecutive_failures{3}, 2, failure) ==
              judgement{3, true, transition_cause::consecutive_failures});
static_assert(judged(consecutive_failures{3}, 3, failure) ==
              judgement{4, true, transition_cause::consecutive_failures});
static_assert(judged(consecutive_failures{3}, 2, success) == judgement{0, false});
static_assert(judged(consecutive_failures{3}, most, failure) ==
              judgement{most, true, transition_cause::consecutive_failures});

static_assert(judged(failure_balance{3}, 0, success) == judgement{0, false});
static_assert(judged(failure_balance{3}, 2, success) == judgement{1, false});
static_assert(judged(failure_balance{3}, 1, failure) == judgement{2, false});
static_assert(judged(failure_balance{3}, 2, failure) ==
              judgement{3, true, transition_cause::failure_balance});
static_assert(judged(failure_balance{3}, most, failure) ==
              judgement{most, true, transition_cause::failure_balance});

}  // namespace

TEST_CASE("a circuit on which nothing failed has nothing marked", "[detector]") {
  CHECK(consecutive_failures{}.first_marks(most) == 0);
  CHECK(failure_balance{}.first_marks(most) == 0);
}
