// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"
#include "shop.hpp"

namespace {

using namespace benchmarks;

shop::supervisor watched{shop::matrix, shop::options, shop::dependencies(4)};

const registered feature{{.name = "features().available()",
                          .run = repeated([] {
                            if (!watched.features().available(shop::feature::search)) [[unlikely]]
                              ++floors::surprises;
                            opaque_call();
                          }),
                          .beside = floors::one_load,
                          .wanted = {.ratio = 1.5, .growth = 1.15, .allocations = 0},
                          .prepare = [] {
                            let_escape(watched);
                            shop::answer_all(watched);
                          }}};

const registered level{{.name = "features().level()",
                        .run = repeated([] {
                          if (watched.features().level() != shop::level::normal) [[unlikely]]
                            ++floors::surprises;
                          opaque_call();
                        }),
                        .beside = floors::one_load,
                        .wanted = {.growth = 1.15, .allocations = 0}}};

}  // namespace
