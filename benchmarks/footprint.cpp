// SPDX-License-Identifier: BSL-1.0
#include "harness/scenario.hpp"

#include "brownout/breaker/circuit_breaker.hpp"

namespace {

using namespace benchmarks;

const registered breaker_size{
    {.name = "sizeof(circuit_breaker<>)",
     .beside = {.name = "two cache lines, 128 bytes"},
     .wanted = {.ratio = 1},
     .known_ratio = [] { return static_cast<double>(sizeof(brownout::circuit_breaker<>)) / 128; }}};

// benchmarks/compile_time measures these: processor time, the median of alternating compilations.
const registered gcc{{.name = "compiling circuit_breaker.hpp, gcc",
                      .beside = {.name = "the standard headers it needs"},
                      .wanted = {.ratio = 1.3}}};
const registered clang{{.name = "compiling circuit_breaker.hpp, clang",
                        .beside = {.name = "the standard headers it needs"},
                        .wanted = {.ratio = 1.3}}};

}  // namespace
