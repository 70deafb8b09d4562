// SPDX-License-Identifier: BSL-1.0
//
// ikenchina/cppbreaker: a port of gobreaker. Its headers forget two of the standard library's.
#include "harness/barriers.hpp"
#include "peers/entrant.hpp"

#include <cstdint>
#include <tuple>

#include <circuit_breaker.h>

#include <chrono>

namespace {

using namespace benchmarks;

cppbreaker::CircuitBreaker closed{{}};
cppbreaker::CircuitBreaker opened{
    {.timeout = std::chrono::hours{24}, .ready_to_trip = [](const cppbreaker::Counts&) { return true; }}};

int code_of(const std::tuple<bool, int>& answer) {
  return std::get<1>(answer);
}

const peers::registered port{{.name = "ikenchina/cppbreaker",
                              .opens_at = "6 failures in a row",
                              .succeed = repeated([] {
                                const auto answer = closed.Execute<bool>([] {
                                  opaque_call();
                                  return std::tuple{true, 0};
                                });
                                if (code_of(answer) != 0) peers::fail("cppbreaker refused a call");
                                opaque_call();
                              }),
                              .be_refused = repeated([] {
                                const auto answer = opened.Execute<bool>([] { return std::tuple{true, 0}; });
                                if (code_of(answer) == 0) peers::fail("cppbreaker admitted a call");
                                opaque_call();
                              }),
                              .open = [] {
                                static_cast<void>(opened.Execute<bool>([] { return std::tuple{true, 1}; }));
                              }}};

}  // namespace
