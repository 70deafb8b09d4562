// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/detector/any_of.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/detector/standard_detector.hpp"

#include <cstdint>
#include <type_traits>

using namespace breaker_test;
using brownout::any_of;
using brownout::consecutive_failures;

namespace {

/// A breaker on a manual clock, open for 5 s.
template <class Detector>
struct detector_bench {
  explicit detector_bench(Detector detector) : circuit{detector, bench::plain({.open_for = 5s}), clock} {}

  void report(outcome result, int times) {
    for (int i = 0; i < times; ++i) {
      auto admitted = circuit.try_acquire();
      REQUIRE(admitted);
      CHECK(admitted->complete(result) == disposition::counted);
    }
  }
  void fail(int times = 1) { report(outcome::failure, times); }
  void succeed(int times = 1) { report(outcome::success, times); }

  [[nodiscard]] circuit_state state() const { return circuit.observed_state(); }

  manual_clock clock;
  brownout::circuit_breaker<Detector, manual_clock> circuit;
};

/// The standard detector alone in a circuit.
struct alone {
  static constexpr std::uint32_t most_marks = brownout::detail::control_word::most_marks;

  /// Whether a failure that ended then trips.
  bool fail(brownout::duration ended) {
    const auto seen =
        detector.judge(brownout::no_evidence{}, marks, {.failed = true, .ended = ended}, most_marks);
    marks = seen.marks;
    return seen.trips;
  }

  brownout::standard_detector detector{};
  std::uint32_t marks = 0;
};

}  // namespace

TEST_CASE("told nothing, a breaker opens at ten failures in a row, or five that span a second",
          "[detector][detector][T1]") {
  detector_bench bench{brownout::standard_detector{}};
  SECTION("ten, the last of them 60 ms after the first") {
    bench.fail(9);
    bench.clock.advance(60ms);
    CHECK(bench.state() == circuit_state::closed);
    CHECK(bench.circuit.snapshot().consecutive_failures == 9);
    bench.fail();
  }
  SECTION("five, the last of them a second and a tick of 8.4 ms after the first") {
    bench.fail(4);
    bench.clock.advance(1010ms);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  SECTION("one at a time, a second apart") {
    for (int i = 0; i < 4; ++i) {
      bench.fail();
      bench.clock.advance(1s);
    }
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  SECTION("five, an hour apart") {
    for (int i = 0; i < 4; ++i) {
      bench.fail();
      bench.clock.advance(1h);
    }
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("told nothing, a breaker opens at nothing less", "[detector][detector]") {
  detector_bench bench{brownout::standard_detector{}};
  SECTION("nine failures within less than a second") {
    for (int i = 0; i < 9; ++i) {
      bench.fail();
      bench.clock.advance(100ms);
    }
  }
  SECTION("four however long they take") {
    for (int i = 0; i < 4; ++i) {
      bench.fail();
      bench.clock.advance(10s);
    }
  }
  SECTION("a row that a success ended, which began long ago") {
    bench.fail(4);
    bench.clock.advance(10s);
    bench.succeed();
    bench.fail(4);
    bench.clock.advance(100ms);
    bench.fail();
  }
  SECTION("any number of failures within 50 ms") {
    bench.fail(20);
    bench.clock.advance(50ms);
    bench.fail(20);
  }
  SECTION("a burst of 30 within 30 ms, a success, and nine more soon after") {
    for (int i = 0; i < 30; ++i) {
      bench.fail();
      bench.clock.advance(1ms);
    }
    bench.succeed();
    bench.clock.advance(60ms);
    bench.fail(9);
  }
  SECTION("ten at once, after a success ended failures that had spanned 50 ms") {
    bench.fail(3);
    bench.clock.advance(100ms);
    bench.fail();
    bench.succeed();
    bench.clock.advance(100ms);
    bench.fail(10);
  }
  SECTION("ten within 15 ms, 45 ms after failures that a success did not outweigh") {
    bench.fail(2);
    bench.succeed();
    bench.clock.advance(45ms);
    bench.fail(9);
    bench.clock.advance(15ms);
    bench.fail();
  }
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("told nothing, a breaker opens soon after a crash, however many calls fail a second",
          "[detector][detector]") {
  detector_bench bench{brownout::standard_detector{}};
  const auto apart = GENERATE(10us, 100us, 1ms, 5ms);
  const auto began = bench.clock.now();
  auto last = began;
  while (bench.state() == circuit_state::closed) {
    last = bench.clock.now();
    bench.fail();
    bench.clock.advance(apart);
  }
  CHECK(last - began > 50ms);
  CHECK(last - began <= 59ms + apart);
}

TEST_CASE("failures within 50 ms count at most 15 for the balance", "[detector][detector]") {
  detector_bench bench{brownout::standard_detector{}};
  bench.fail(30);
  CHECK(bench.circuit.snapshot().failure_balance == 15);
  bench.succeed(14);
  CHECK(bench.circuit.snapshot().failure_balance == 1);
  bench.succeed();
  CHECK(bench.circuit.snapshot().failure_balance == 0);
}

TEST_CASE("told nothing, a breaker opens at thirty failures more than successes", "[detector][detector]") {
  detector_bench bench{brownout::standard_detector{}};
  for (int i = 0; i < 28; ++i) {  // two failures a success: one more each time
    bench.fail(2);
    bench.succeed();
    bench.clock.advance(10ms);
  }
  CHECK(bench.circuit.snapshot().failure_balance == 28);
  bench.fail();
  CHECK(bench.state() == circuit_state::closed);
  bench.fail();
  CHECK(bench.state() == circuit_state::open);
  CHECK(std::is_same_v<decltype(brownout::circuit_breaker{}),
                       brownout::circuit_breaker<brownout::standard_detector>>);
}

TEST_CASE("in an any_of the default detector does not wait for 50 ms", "[detector][detector]") {
  // The other one trips at nothing that is done here.
  detector_bench bench{any_of{brownout::standard_detector{}, consecutive_failures{2046}}};
  SECTION("ten in a row") {
    bench.fail(9);
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  SECTION("thirty ahead") {
    for (int i = 0; i < 28; ++i) {
      bench.fail(2);
      bench.succeed();
    }
    bench.fail();
    CHECK(bench.state() == circuit_state::closed);
    bench.fail();
  }
  CHECK(bench.state() == circuit_state::open);
}

TEST_CASE("the marks of the default detector are never all set", "[detector]") {
  // In metrics_only the counts go on.
  alone seen;
  const auto apart = GENERATE(0us, 10ms, 50ms, 1s, 7s);
  for (int i = 0; i < 20'000; ++i) {
    seen.fail(apart * i + 12'345us);
    REQUIRE(seen.marks <= alone::most_marks);
  }
}

TEST_CASE("a call that ended before a row of failures began, and is counted later, does not make it longer",
          "[detector]") {
  alone seen;
  for (int i = 0; i < 9; ++i) CHECK_FALSE(seen.fail(10s));
  CHECK_FALSE(seen.fail(8s));
  CHECK_FALSE(seen.fail(10s + 40ms));
  CHECK(seen.fail(10s + 60ms));
}
