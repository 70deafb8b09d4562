// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/breaker/circuit_breaker.hpp"

namespace {

using namespace benchmarks;
using brownout::outcome;

brownout::circuit_breaker breaker;

constexpr auto by_permit = repeated([] {
  auto admitted = breaker.try_acquire();
  if (!admitted) [[unlikely]] {
    ++floors::surprises;
    return;
  }
  opaque_call();
  admitted->complete(outcome::success);
  opaque_call();
});

const registered permit_success{
    {.name = "permit: allow and success",
     .run = by_permit,
     .beside = floors::two_loads,
     .wanted = {.ratio = 1.1, .growth = 1.15, .instructions = 10, .allocations = 0},
     .prepare = [] { let_escape(breaker); }}};

const registered call_success{{.name = "call()",
                               .run = repeated([] {
                                 breaker.call([] { opaque_call(); });
                                 opaque_call();
                               }),
                               .beside = {"permit: allow and success", by_permit},
                               .wanted = {.ratio = 1.1, .growth = 1.15, .allocations = 0}}};

const registered try_call_success{{.name = "try_call()",
                                   .run = repeated([] {
                                     if (!breaker.try_call([] { opaque_call(); })) [[unlikely]]
                                       ++floors::surprises;
                                     opaque_call();
                                   }),
                                   .beside = {"permit: allow and success", by_permit},
                                   .wanted = {.growth = 1.15, .allocations = 0}}};

const registered failure{{.name = "permit: failure, then success",
                          .run = repeated([] {
                            for (const auto result : {outcome::failure, outcome::success}) {
                              auto admitted = breaker.try_acquire();
                              opaque_call();
                              admitted->complete(result);
                              opaque_call();
                            }
                          }),
                          .beside = floors::two_exchanges,
                          .wanted = {.allocations = 0}}};

}  // namespace
