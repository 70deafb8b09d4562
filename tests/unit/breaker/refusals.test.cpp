// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/registry/registry.hpp"

#include <thread>
#include <utility>
#include <vector>

using namespace breaker_test;

namespace {

constexpr int calls_each = 1000;

template <class Breaker>
void call_from_many_threads(Breaker& circuit) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {  // more than there are stripes
    threads.emplace_back([&] {
      for (int call = 0; call < calls_each; ++call) static_cast<void>(circuit.try_acquire());
    });
  }
  for (auto& one : threads) one.join();
}

}  // namespace

TEST_CASE("every refused call is counted once, whichever thread makes it", "[breaker][B7]") {
  SECTION("by the open period, and while an operator holds the circuit open") {
    bench bench;
    bench.trip();
    call_from_many_threads(bench.circuit);
    CHECK(bench.circuit.snapshot().rejections == 12 * calls_each);
    bench.circuit.force_open();
    call_from_many_threads(bench.circuit);
    CHECK(bench.circuit.snapshot().rejections == 24 * calls_each);
  }
  SECTION("by a breaker of a registry") {
    manual_clock clock;
    brownout::registry<consecutive_failures, manual_clock> hosts{{.detector = {1}}, clock};
    const auto held = hosts.at("host");
    static_cast<void>(held.try_acquire()->complete(outcome::failure));
    call_from_many_threads(*held);
    CHECK(held->snapshot().rejections == 12 * calls_each);
  }
}

TEST_CASE("an adaptive period counts a refused call that another one interrupts", "[breaker][B12][B12d]") {
  for (int access = 0;; ++access) {
    manual_clock clock;
    brownout::circuit_breaker<consecutive_failures, manual_clock, interrupted_atomics> circuit{
        consecutive_failures{1}, {.open_for = brownout::adaptive_period{100ms, 30s, 0}}, clock};
    circuit.try_acquire()->complete(outcome::failure);
    clock.advance(100ms);
    int refused = 0;
    const auto call = [&] { refused += circuit.try_acquire() ? 0 : 1; };
    interruption::action = call;
    interruption::accesses_left = access;
    call();
    interruption::accesses_left = -1;
    if (std::exchange(interruption::action, nullptr)) break;
    REQUIRE(refused == 2);
    while (circuit.snapshot().retry_after > 0s) call();
    CHECK(refused == 5);
  }
}
