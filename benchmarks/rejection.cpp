// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/breaker/circuit_breaker.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace {

using namespace benchmarks;
using namespace std::chrono_literals;

brownout::circuit_breaker open_circuit{brownout::consecutive_failures{1}, {.open_for = 24h}};
brownout::circuit_breaker held_circuit;

template <auto& Circuit>
constexpr batch refused = repeated([] {
  if (Circuit.try_acquire()) [[unlikely]]
    ++floors::surprises;
  opaque_call();
});

const registered open{{.name = "refused: circuit open",
                       .run = refused<open_circuit>,
                       .beside = floors::clock_reading,
                       .wanted = {.ratio = 0.6, .growth = 1.15, .allocations = 0},
                       .prepare = [] {
                         let_escape(open_circuit);
                         open_circuit.try_acquire()->complete(brownout::outcome::failure);
                       }}};

const registered open_by_try_call{{.name = "refused: circuit open, try_call()",
                                   .run = repeated([] {
                                     const auto answer = open_circuit.try_call([] { ++floors::surprises; });
                                     keep(answer.rejection().retry_after);
                                   }),
                                   .beside = floors::clock_reading,
                                   .wanted = {.allocations = 0}}};

/// A circuit whose only probe is in flight. Built by the row that needs it: how often it asks until its open
/// period is over differs from run to run, and would be counted among the instructions of other rows.
struct probed {
  brownout::circuit_breaker<brownout::consecutive_failures> circuit{brownout::consecutive_failures{1},
                                                                    {.open_for = 1ms, .lease = 24h}};
  std::optional<decltype(circuit)::permit> probe;

  probed() {
    circuit.try_acquire()->complete(brownout::outcome::failure);
    while (!probe) {
      if (auto admitted = circuit.try_acquire()) probe.emplace(*std::move(admitted));
    }
  }
};

void refused_by_probe(std::uint64_t times) {
  static probed one;
  for (std::uint64_t i = 0; i < times; ++i) {
    if (one.circuit.try_acquire()) [[unlikely]]
      ++floors::surprises;
    opaque_call();
  }
}

const registered probing{{.name = "refused: probe in flight",
                          .run = refused_by_probe,
                          .beside = floors::clock_reading,
                          .wanted = {.growth = 1.15, .allocations = 0}}};

const registered held{{.name = "refused: forced open",
                       .run = refused<held_circuit>,
                       .beside = floors::one_load,
                       .wanted = {.instructions = 22, .allocations = 0},
                       .prepare = [] {
                         let_escape(held_circuit);
                         held_circuit.force_open();
                       }}};

}  // namespace
