// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/guard/retry_budget.hpp"

#include <chrono>

namespace {

using namespace benchmarks;

brownout::retry_budget full{{.least = 1'000'000}};  // always above 20 tokens
brownout::retry_budget spent{{.least = 0}};         // never has a token
brownout::retry_budget lent{{.least = 1'000'000}};

constexpr benchmarks::floor exchange_and_reading{
    "compare-and-swap and steady_clock", repeated([] {
      keep(std::chrono::steady_clock::now());
      auto seen = floors::written.word.load(std::memory_order_relaxed);
      while (!floors::written.word.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed,
                                                         std::memory_order_relaxed)) {
      }
      opaque_call();
    })};

const registered success{{.name = "budget: success, 20 tokens or more",
                          .run = repeated([] {
                            full.deposit();
                            opaque_call();
                          }),
                          .beside = floors::one_addition,
                          .wanted = {.ratio = 1.3, .growth = 4, .allocations = 0},
                          .prepare = [] {
                            let_escape(full);
                            let_escape(spent);
                            let_escape(lent);
                          }}};

const registered refused{{.name = "budget: retry refused",
                          .run = repeated([] {
                            if (spent.try_withdraw()) [[unlikely]]
                              ++floors::surprises;
                            opaque_call();
                          }),
                          .beside = exchange_and_reading,
                          .wanted = {.ratio = 1.3, .growth = 1.3, .allocations = 0}}};

const registered allowed{{.name = "budget: retry allowed and given back",
                          .run = repeated([] {
                            if (!lent.try_withdraw()) [[unlikely]]
                              ++floors::surprises;
                            lent.give_back();
                            opaque_call();
                          }),
                          .beside = exchange_and_reading,
                          .wanted = {.ratio = 1.3, .allocations = 0}}};

}  // namespace
