// SPDX-License-Identifier: BSL-1.0
//
// Goals that can't be met, one of each kind, and one that is: a program of its own, in which planted.cmake
// proves that
// --check tells them apart.
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

namespace {

using namespace benchmarks;

constexpr batch one_load = floors::one_load.run;

const registered fine{{.name = "fine",
                       .run = one_load,
                       .beside = floors::clock_reading,
                       .wanted = {.ratio = 1, .growth = 2, .instructions = 10, .allocations = 0}}};

const registered slow{
    {.name = "slow", .run = floors::clock_reading.run, .beside = floors::one_load, .wanted = {.ratio = 2}}};

const registered contended{{.name = "contended",
                            .run = floors::two_exchanges.run,
                            .beside = floors::one_load,
                            .wanted = {.growth = 1.15}}};

const registered allocating{{.name = "allocating",
                             .run = repeated([] { ::operator delete(::operator new(3)); }),
                             .beside = floors::one_load,
                             .wanted = {.allocations = 0}}};

const registered long_winded{
    {.name = "long-winded", .run = one_load, .beside = floors::one_load, .wanted = {.instructions = 10}}};

const registered verbose{{.name = "verbose",
                          .run = one_load,
                          .beside = {.name = "fine", .run = one_load},
                          .wanted = {.surplus = surplus_goal{.gcc = 5, .clang = 5}}}};

const registered unmeasured{{.name = "unmeasured", .beside = {.name = "nothing"}, .wanted = {.ratio = 1}}};

}  // namespace
