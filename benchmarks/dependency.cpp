// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"
#include "shop.hpp"

#include "brownout/core/outcome.hpp"
#include "brownout/system/dependency.hpp"

namespace {

using namespace benchmarks;
using brownout::outcome;

brownout::dependency healthy{{.name = "healthy"}};

const registered call{{.name = "dependency::call()",
                       .run = repeated([] {
                         healthy.call([] { opaque_call(); });
                         opaque_call();
                       }),
                       .beside = floors::clock_reading,
                       .wanted = {.ratio = 0.35, .growth = 1.15, .allocations = 0},
                       .prepare = [] { let_escape(healthy); }}};

// A permit that may outlive its dependency shares the ownership of the core: two writes to a shared counter.
const registered by_hand{{.name = "dependency: permit by hand",
                          .run = repeated([] {
                            auto admitted = healthy.try_acquire();
                            opaque_call();
                            admitted->complete(outcome::success);
                            opaque_call();
                          }),
                          .beside = floors::clock_reading,
                          .wanted = {.allocations = 0}}};

const registered failure{{.name = "dependency: failure, then success",
                          .run = repeated([] {
                            for (const auto result : {outcome::failure, outcome::success}) {
                              keep(healthy.call([=] {
                                opaque_call();
                                return result;
                              }));
                              opaque_call();
                            }
                          }),
                          .beside = floors::clock_reading,
                          .wanted = {.ratio = 3, .allocations = 0}}};

// What a request of a service costs: it asks for a feature, and calls a dependency that the supervisor
// watches.
shop::supervisor watched{shop::matrix, shop::options, shop::dependencies(4)};
auto& database = watched.described(0);

const registered request{{.name = "one request: feature check and call",
                          .run = repeated([] {
                            if (!watched.features().available(shop::feature::search)) [[unlikely]]
                              ++floors::surprises;
                            database.call([] { opaque_call(); });
                            opaque_call();
                          }),
                          .beside = floors::clock_reading,
                          .wanted = {.growth = 1.15, .allocations = 0},
                          .prepare = [] {
                            let_escape(watched);
                            shop::answer_all(watched);
                            // Until the next step there are few calls, and each is timed.
                            for (int i = 0; i < 100; ++i) database.call([] {});
                            watched.refresh(watched.now());
                          }}};

}  // namespace
