// SPDX-License-Identifier: BSL-1.0
// What clocks and detectors a program may give to a breaker.
#include "catch2.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/registry/registry.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>

using namespace std::chrono_literals;
using brownout::outcome;

/// A program with types of its own, and with functions for them whose names the library has too.
namespace a_program {

struct a_clock : brownout::manual_clock {
  using brownout::manual_clock::manual_clock;
  void operator&() const = delete;  // NOLINT(google-runtime-operator)
};
void coarse_now(const a_clock& clock) = delete;

struct a_detector : brownout::consecutive_failures {
  void operator&() const = delete;  // NOLINT(google-runtime-operator)
};
void with_defaults(const a_detector& detector) = delete;

}  // namespace a_program

TEST_CASE("the functions that a program has for its clock and its detector are not the library's",
          "[breaker]") {
  a_program::a_clock clock;
  brownout::circuit_breaker<a_program::a_detector, a_program::a_clock> circuit{
      a_program::a_detector{{.threshold = 1}}, {.open_for = 5s}, clock};
  CHECK_THROWS(circuit.reconfigure(a_program::a_detector{{.threshold = 0}}));
  circuit.reconfigure(a_program::a_detector{{.threshold = 2}});
  for (int i = 0; i < 2; ++i) {
    auto admitted = circuit.try_acquire();
    REQUIRE(admitted);
    static_cast<void>(admitted->complete(outcome::failure));
  }
  CHECK_FALSE(circuit.try_acquire());
  clock.advance(5s);
  CHECK(circuit.try_acquire());

  brownout::registry<a_program::a_detector, a_program::a_clock> hosts{
      {.capacity = 2, .detector = a_program::a_detector{{.threshold = 1}}}, {}, clock};
  CHECK(hosts.at("a").try_acquire());
}
