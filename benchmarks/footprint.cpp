// SPDX-License-Identifier: BSL-1.0
#include "harness/scenario.hpp"

#include "brownout/breaker/circuit_breaker.hpp"

#include <optional>
#include <string_view>

namespace {

using namespace benchmarks;

const registered breaker_size{
    {.name = "sizeof(circuit_breaker<>)",
     .beside = {.name = "two cache lines, 128 bytes"},
     .wanted = {.ratio = 1},
     .known_ratio = [] { return static_cast<double>(sizeof(brownout::circuit_breaker<>)) / 128; }}};

// benchmarks/compile_time measures these, in instructions of the compiler. brownout.hpp has no goal: the
// fewer headers of others it needs, the higher its ratio, although it compiles faster. static.include_cost
// has a budget for it.
scenario compiling(std::string_view name, std::optional<double> most,
                   std::string_view others = "the headers of others it needs") {
  return {.name = name, .beside = {.name = others}, .wanted = {.ratio = most}};
}
const registered breaker_gcc{compiling("compiling circuit_breaker.hpp, gcc", 1.3)};
const registered breaker_clang{compiling("compiling circuit_breaker.hpp, clang", 1.3)};
const registered core_gcc{compiling("compiling breaker.hpp, gcc", 1.3)};
const registered core_clang{compiling("compiling breaker.hpp, clang", 1.3)};
const registered all_gcc{compiling("compiling brownout.hpp, gcc", {})};
const registered all_clang{compiling("compiling brownout.hpp, clang", {})};
const registered async_gcc{compiling("compiling async_call.hpp, gcc", 1.1, "boost/asio.hpp")};
const registered async_clang{compiling("compiling async_call.hpp, clang", 1.1, "boost/asio.hpp")};
const registered piped_gcc{compiling("compiling async_pipeline.hpp, gcc", 1.1, "boost/asio.hpp")};
const registered piped_clang{compiling("compiling async_pipeline.hpp, clang", 1.1, "boost/asio.hpp")};

}  // namespace
