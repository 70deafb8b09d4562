// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/guard/bulkhead.hpp"

namespace {

using namespace benchmarks;

brownout::bulkhead places{{.limit = 64}};
brownout::bulkhead closed{{.limit = 0}};

const registered admitted{{.name = "bulkhead: a call and its end",
                           .run = repeated([] {
                             {
                               const auto place = places.try_acquire();
                               if (!place) [[unlikely]]
                                 ++floors::surprises;
                               opaque_call();
                             }
                             opaque_call();
                           }),
                           .beside = floors::two_additions,
                           .wanted = {.ratio = 1.2, .instructions = 20, .allocations = 0},
                           .prepare = [] {
                             let_escape(places);
                             let_escape(closed);
                           }}};

const registered as_stage{{.name = "bulkhead: around()",
                           .run = repeated([] {
                             const auto answer = places.around<void>(
                                 {}, [](const brownout::call_context&) -> brownout::result<void> {
                                   opaque_call();
                                   return {};
                                 });
                             if (!answer) [[unlikely]]
                               ++floors::surprises;
                             opaque_call();
                           }),
                           .beside = floors::two_additions,
                           .wanted = {.ratio = 1.2, .allocations = 0}}};

const registered refused{{.name = "bulkhead: refused",
                          .run = repeated([] {
                            if (closed.try_acquire()) [[unlikely]]
                              ++floors::surprises;
                            opaque_call();
                          }),
                          .beside = floors::one_addition,
                          .wanted = {.growth = 1.15, .allocations = 0}}};

}  // namespace
