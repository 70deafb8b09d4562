// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/core/circuit_state.hpp"

using namespace breaker_test;
using brownout::initiator_of;
using brownout::transition_initiator;

namespace {

// Who may cause what, written out by hand, so that the library's table is compared with something other than
// itself. Rows: from; columns: to; both in the order of the enum.
constexpr auto n = transition_initiator::none;
constexpr auto c = transition_initiator::calls;
constexpr auto o = transition_initiator::operator_;
constexpr transition_initiator expected[6][6] = {
    //               closed half_open open forced disabled metrics
    /* closed    */ {o, n, c, o, o, o},
    /* half_open */ {c, c, c, o, o, o},
    /* open      */ {o, c, n, o, o, o},
    /* forced    */ {o, c, n, o, o, o},
    /* disabled  */ {c, n, n, o, o, o},
    /* metrics   */ {o, n, n, o, o, o},
};

constexpr bool table_is_as_expected() {
  for (const auto from : all_states) {
    for (const auto to : all_states) {
      if (initiator_of(from, to) != expected[static_cast<int>(from)][static_cast<int>(to)]) return false;
    }
  }
  return true;
}
static_assert(table_is_as_expected());

void command(tested_breaker& circuit, circuit_state state) {
  switch (state) {
    case circuit_state::closed:
      circuit.reset();
      break;
    case circuit_state::forced_open:
      circuit.force_open();
      break;
    case circuit_state::disabled:
      circuit.disable();
      break;
    case circuit_state::metrics_only:
      circuit.measure_only();
      break;
    default:
      FAIL("an operator can't command this state");
  }
}

}  // namespace

TEST_CASE("an operator can take a circuit from any state to any held state and to closed",
          "[breaker][B1][B1e]") {
  for (const auto from : all_states) {
    for (const auto to : {circuit_state::closed, circuit_state::forced_open, circuit_state::disabled,
                          circuit_state::metrics_only}) {
      INFO(brownout::to_string(from) << " -> " << brownout::to_string(to));
      REQUIRE(initiator_of(from, to) != transition_initiator::none);
      bench bench;
      bench.drive_to(from);
      const auto before = bench.epoch();
      command(bench.circuit, to);
      CHECK(bench.state() == to);
      const bool stands_already = from == to && to != circuit_state::closed;
      CHECK(bench.epoch() == before + (stands_already ? 0 : 1));

      // Whatever it was before, a reset makes it an ordinary closed circuit again.
      bench.circuit.reset();
      CHECK(bench.state() == circuit_state::closed);
      bench.trip();
    }
  }
}

TEST_CASE("calls cause the transitions of the table that are theirs", "[breaker][B1][B1f]") {
  bench bench;
  SECTION("closed -> open") {
    bench.trip();
  }
  SECTION("open -> half-open") {
    CHECK_FALSE(bench.first_probe().settled());
  }
  SECTION("half-open -> closed") {
    static_cast<void>(bench.first_probe().complete(outcome::success));
    bench.succeed();
    CHECK(bench.state() == circuit_state::closed);
  }
  SECTION("half-open -> open") {
    static_cast<void>(bench.first_probe().complete(outcome::failure));
    CHECK(bench.state() == circuit_state::open);
  }
  SECTION("half-open -> half-open, when its probes are lost") {
    auto first = bench.first_probe();
    auto second = bench.acquire();
    const auto before = bench.epoch();
    bench.clock.advance(2s);
    auto third = bench.acquire();
    CHECK(bench.state() == circuit_state::half_open);
    CHECK(bench.epoch() == before + 1);
  }
}
