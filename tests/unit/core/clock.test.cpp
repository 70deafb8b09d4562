// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/core/clock.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <ctime>

using namespace std::chrono_literals;
using brownout::clock_source;
using brownout::coarse_resolution;
using brownout::duration;
using brownout::manual_clock;
using brownout::monotonic_clock;
using brownout::time_point;

namespace {

struct precise_clock {
  [[nodiscard]] time_point now() const noexcept { return time_point{7s}; }
};
struct both_clock : precise_clock {
  [[nodiscard]] time_point coarse_now() const noexcept { return time_point{6s}; }
};
struct throwing_coarse_clock : precise_clock {
  [[nodiscard]] time_point coarse_now() const { return {}; }
};
struct coarse_clock_of_another_type : precise_clock {
  [[nodiscard]] duration coarse_now() const noexcept { return {}; }
};

static_assert(clock_source<precise_clock> && clock_source<both_clock>);
static_assert(!clock_source<throwing_coarse_clock> && !clock_source<coarse_clock_of_another_type>);

}  // namespace

TEST_CASE("a clock without a coarse reading gives its precise one", "[core][B19]") {
  CHECK(brownout::detail::coarse_now(precise_clock{}) == time_point{7s});
  CHECK(brownout::detail::coarse_now(both_clock{}) == time_point{6s});
}

TEST_CASE("the default clock's coarse reading is of the same time, and never ahead", "[core][B19]") {
  const monotonic_clock clock;
  for (int i = 0; i < 100'000; ++i) {
    const auto before = clock.now();
    const auto coarse = clock.coarse_now();
    const auto after = clock.now();
    REQUIRE(coarse <= after);
    REQUIRE(coarse >= before - 1s);  // a tick is 10 ms at most, and a busy machine may be late to count it
  }
}

#if defined(CLOCK_MONOTONIC_COARSE)

TEST_CASE("the default clock reads coarsely only where the system's tick is short enough", "[core][B19]") {
  static duration tick{};
  static int answer = 0;
  static clockid_t asked = CLOCK_REALTIME;
  const auto choice = [](duration resolution, int returned = 0) {
    tick = resolution;
    answer = returned;
    return brownout::detail::coarse_clock([](clockid_t id, timespec* found) {
      asked = id;
      *found = {.tv_sec = static_cast<std::time_t>(tick / 1s),
                .tv_nsec = static_cast<long>((tick % 1s).count())};
      return answer;
    });
  };
  CHECK(choice(1ms) == CLOCK_MONOTONIC_COARSE);
  CHECK(choice(4ms) == CLOCK_MONOTONIC_COARSE);
  CHECK(choice(10ms) == CLOCK_MONOTONIC_COARSE);
  CHECK(choice(10ms + 1ns) == CLOCK_MONOTONIC);
  CHECK(choice(16ms) == CLOCK_MONOTONIC);
  CHECK(choice(1s) == CLOCK_MONOTONIC);
  CHECK(choice(1s + 1ms) == CLOCK_MONOTONIC);
  CHECK(choice(1ms, -1) == CLOCK_MONOTONIC);  // the system has no such clock
  CHECK(asked == CLOCK_MONOTONIC_COARSE);
  static_assert(coarse_resolution == 10ms);
}

#endif
