// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/system/dependency.hpp"

namespace {

using namespace benchmarks;
using brownout::outcome;

brownout::dependency<> healthy{{.name = "healthy"}, brownout::monotonic_clock{}};

const registered call{{.name = "dependency::call()",
                       .run = repeated([] {
                         healthy.call([] { opaque_call(); });
                         opaque_call();
                       }),
                       .beside = floors::clock_reading,
                       .wanted = {.ratio = 0.35, .growth = 1.15, .allocations = 0},
                       .prepare = [] { let_escape(healthy); }}};

const registered failure{{.name = "dependency: failure, then success",
                          .run = repeated([] {
                            for (const auto result : {outcome::failure, outcome::success}) {
                              auto admitted = healthy.try_acquire();
                              opaque_call();
                              admitted->complete(result);
                              opaque_call();
                            }
                          }),
                          .beside = floors::clock_reading,
                          .wanted = {.ratio = 3, .allocations = 0}}};

}  // namespace
