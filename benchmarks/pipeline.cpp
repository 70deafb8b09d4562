// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"

#include <chrono>
#include <cstdint>
#include <functional>

namespace {

using namespace benchmarks;
using namespace std::chrono_literals;
using brownout::call_context;
using brownout::outcome;

brownout::circuit_breaker database{brownout::consecutive_failures{5}};
brownout::retry_budget budget;

const brownout::pipeline retried{brownout::retry{.budget = &budget, .idempotent = true}, database};
const brownout::pipeline limited{brownout::retry{.budget = &budget, .idempotent = true}, database,
                                 brownout::timeout{.limit = 1s}};

/// What a careful program writes by hand for a call that succeeds, with pointers to guards that it was given.
struct by_hand {
  brownout::retry_budget* budget;
  decltype(database)* breaker;
} hand{&budget, &database};

void prepare() {
  let_escape(database);
  let_escape(budget);
  let_escape(hand);
  let_escape(retried);
  let_escape(limited);
}

constexpr benchmarks::floor retried_by_hand{"the same by hand", repeated([]() BROWNOUT_INLINE_LAMBDA {
                                              auto admitted = hand.breaker->try_acquire();
                                              if (!admitted) [[unlikely]] {
                                                ++floors::surprises;
                                              } else {
                                                opaque_call();
                                                admitted->complete(outcome::success);
                                                hand.budget->deposit();
                                              }
                                              opaque_call();
                                            })};

const registered with_retry{{.name = "pipeline{retry, breaker}",
                             .run = repeated([]() BROWNOUT_INLINE_LAMBDA {
                               if (!retried.try_call([] { opaque_call(); })) [[unlikely]]
                                 ++floors::surprises;
                               opaque_call();
                             }),
                             .beside = retried_by_hand,
                             .wanted = {.ratio = 1.05, .allocations = 0},
                             .prepare = prepare}};
const registered floor_with_retry{
    {.name = "by hand: retry, breaker", .run = retried_by_hand.run, .beside = floors::one_load}};

constexpr benchmarks::floor limited_by_hand{
    "the same by hand", repeated([]() BROWNOUT_INLINE_LAMBDA {
      const brownout::monotonic_clock clock;
      const auto now = clock.now();
      auto admitted = hand.breaker->try_acquire();
      if (!admitted) [[unlikely]] {
        ++floors::surprises;
      } else {
        const auto deadline = now + 1s;
        keep(deadline);
        opaque_call();
        const bool is_late =
            clock.coarse_now() + brownout::coarse_resolution >= deadline && clock.now() >= deadline;
        admitted->complete(is_late ? outcome::failure : outcome::success);
        hand.budget->deposit();
      }
      opaque_call();
    })};

const registered with_timeout{{.name = "pipeline{retry, breaker, timeout}",
                               .run = repeated([]() BROWNOUT_INLINE_LAMBDA {
                                 if (!limited.try_call([](const call_context& call) {
                                       keep(call.deadline);
                                       opaque_call();
                                     })) [[unlikely]]
                                   ++floors::surprises;
                                 opaque_call();
                               }),
                               .beside = limited_by_hand,
                               .wanted = {.ratio = 1.05, .allocations = 0}}};
const registered floor_with_timeout{
    {.name = "by hand: retry, breaker, timeout", .run = limited_by_hand.run, .beside = floors::one_load}};

}  // namespace
