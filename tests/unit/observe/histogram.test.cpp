// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/observe/counter.hpp"
#include "brownout/observe/histogram.hpp"

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

TEST_CASE("a counter counts every event of every thread", "[observe]") {
  brownout::counter events;
  std::thread other{[&] {
    for (int i = 0; i < 10'000; ++i) events.increment();
  }};
  for (int i = 0; i < 10'000; ++i) events.increment(2);
  other.join();
  CHECK(events.value() == 30'000);
}

TEST_CASE("an observation falls into the first bucket whose bound is not below it", "[observe]") {
  brownout::histogram durations{{0.1, 0.5, 1.0}};
  for (const double value : {0.05, 0.1, 0.2, 1.0, 7.0}) durations.observe(value);
  const auto seen = durations.read();
  CHECK(seen.bounds == std::vector{0.1, 0.5, 1.0});
  CHECK(seen.cumulative == std::vector<std::uint64_t>{2, 3, 4, 5});
  CHECK(seen.sum == Approx(8.35));
}

TEST_CASE("bounds that do not rise are refused", "[observe]") {
  CHECK_THROWS_AS(brownout::histogram({0.5, 0.5}), std::invalid_argument);
  CHECK_THROWS_AS(brownout::histogram({0.5, std::numeric_limits<double>::quiet_NaN()}),
                  std::invalid_argument);
}

TEST_CASE("a histogram loses nothing when threads observe at once", "[observe]") {
  brownout::histogram durations{{1.0}};
  const auto observe = [&] {
    for (int i = 0; i < 10'000; ++i) durations.observe(i % 2 == 0 ? 0.5 : 2.0);
  };
  std::thread other{observe};
  observe();
  other.join();
  const auto seen = durations.read();
  CHECK(seen.cumulative == std::vector<std::uint64_t>{10'000, 20'000});
  CHECK(seen.sum == 25'000.0);
}

TEST_CASE("a bound must be finite, and so must what is observed", "[observe]") {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(brownout::histogram({nan}), std::invalid_argument);
  CHECK_THROWS_AS(brownout::histogram({0.5, infinity}), std::invalid_argument);
  CHECK_THROWS_AS(brownout::histogram({-infinity, 0.5}), std::invalid_argument);
  brownout::histogram durations{{1.0}};
  for (const double value : {0.5, nan, infinity, -infinity}) durations.observe(value);
  CHECK(durations.read().cumulative == std::vector<std::uint64_t>{1, 1});
  CHECK(durations.read().sum == 0.5);
}
