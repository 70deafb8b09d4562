// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/controller_bench.hpp"

#include <chrono>
#include <optional>
#include <random>
#include <tuple>

using namespace level_test;

TEST_CASE("before the first score the level is the worst, and the first score sets it", "[level][D2][D2a]") {
  bench bench;
  CHECK(bench.shown() == level::emergency);
  CHECK_FALSE(bench.controller.assessed());
  CHECK_FALSE(bench.controller.wait(bench.now));  // nobody has been asked yet
  CHECK_FALSE(bench.controller.assessed());

  const auto change = bench.score(91);  // no dwell, no hysteresis
  REQUIRE(change);
  CHECK(change->from == level::emergency);
  CHECK(change->to == level::optimal);
  CHECK(change->cause == level_cause::first_assessment);
  CHECK(change->score == 91);
  CHECK(change->at == bench.now);
  CHECK(bench.controller.assessed());
}

TEST_CASE("a first score that is as bad as can be is an assessment without a change", "[level][D2]") {
  bench bench;
  CHECK_FALSE(bench.score(10));
  CHECK(bench.controller.assessed());
  CHECK_FALSE(bench.score(95));  // from now on better takes its time
}

TEST_CASE("without confirm_for worse is immediate, however many levels", "[level][D2][D2b]") {
  bench bench;
  static_cast<void>(bench.score(100));
  CHECK_FALSE(bench.score(90));
  const auto one = bench.score(89.9);
  REQUIRE(one);
  CHECK(one->from == level::optimal);
  CHECK(one->to == level::degraded);
  CHECK(one->cause == level_cause::health_fell);
  CHECK(one->score == 89.9);
  const auto more = bench.score(5);
  REQUIRE(more);
  CHECK(more->to == level::emergency);
}

TEST_CASE("with confirm_for, worse needs a lower score for that long, to the nanosecond",
          "[level][D2][D2c]") {
  bench bench{{.ladder = ladder, .dwell = 10s, .confirm_for = 3s}};
  static_cast<void>(bench.score(100));
  CHECK_FALSE(bench.score(50));
  CHECK(bench.controller.next_change() == bench.now + 3s);
  CHECK_FALSE(bench.score_after(3s - 1ns, 50));

  SECTION("then it takes effect, with the level that the latest score shows") {
    const auto change = bench.score_after(1ns, 65);
    REQUIRE(change);
    CHECK(change->to == level::limited);
    CHECK(change->threshold == 90);
    CHECK_FALSE(bench.controller.next_change());
    CHECK_FALSE(bench.score_after(1h, 50));  // and the next fall needs a time of its own
    CHECK_FALSE(bench.score_after(3s - 1ns, 50));
    CHECK(to(bench.score_after(1ns, 50)) == level::minimal);
  }
  SECTION("a good score between begins the time again, and so does an unknown one") {
    const auto between = GENERATE(std::optional<double>{95.0}, std::optional<double>{});
    CHECK_FALSE(bench.score_after(1ns, between));
    CHECK_FALSE(bench.score_after(1h, 50));
    CHECK_FALSE(bench.score_after(3s - 1ns, 50));
    CHECK(bench.score_after(1ns, 50));
  }
  SECTION("a clock that was set back begins the time again") {
    bench.now -= 1h;
    CHECK_FALSE(bench.score(50));
    CHECK_FALSE(bench.score_after(3s - 1ns, 50));
    CHECK(bench.score_after(1ns, 50));
  }
}

TEST_CASE("the outlook says how long a lower score must last, and how much of that is left",
          "[level][D2][D2c][D5]") {
  bench bench{{.ladder = ladder, .dwell = 10s, .confirm_for = 3s}};
  static_cast<void>(bench.score(100));
  CHECK(bench.controller.outlook(bench.now).worse_after == 3s);
  CHECK_FALSE(bench.controller.outlook(bench.now).worse_in);
  static_cast<void>(bench.score(50));
  CHECK(bench.controller.outlook(bench.now + 1s).worse_in == 2s);
  CHECK(bench.controller.outlook(bench.now + 4s).worse_in == 0s);  // overdue, and not a negative time
}

TEST_CASE("better needs the threshold and the hysteresis", "[level][D2][D2d]") {
  bench bench;
  static_cast<void>(bench.score(80));
  SECTION("just below: never") {
    CHECK_FALSE(bench.score(91.999999));
    CHECK_FALSE(bench.score_after(24h, 91.999999));
  }
  SECTION("exactly: after the dwell") {
    CHECK_FALSE(bench.score(92));
    CHECK(to(bench.score_after(10s, 92)) == level::optimal);
  }
}

TEST_CASE("hysteresis that reaches beyond 100 asks for 100", "[level][D2]") {
  bench bench{{.ladder = ladder, .hysteresis = 30, .dwell = 10s, .confirm_for = 0s}};
  static_cast<void>(bench.score(80));
  CHECK_FALSE(bench.score(99.9));
  CHECK_FALSE(bench.score_after(1h, 99.9));
  CHECK_FALSE(bench.score(100));
  CHECK(to(bench.score_after(10s, 100)) == level::optimal);
}

TEST_CASE("better needs the dwell, to the nanosecond", "[level][D2][D2e]") {
  bench bench;
  static_cast<void>(bench.score(80));
  CHECK_FALSE(bench.score(95));
  CHECK(bench.controller.next_change() == bench.now + 10s);
  CHECK_FALSE(bench.score_after(10s - 1ns, 95));
  const auto change = bench.score_after(1ns, 95);
  REQUIRE(change);
  CHECK(change->from == level::degraded);
  CHECK(change->to == level::optimal);
  CHECK(change->cause == level_cause::health_recovered);
  CHECK_FALSE(bench.controller.next_change());
}

TEST_CASE("a score that drops below what is needed starts the dwell again", "[level][D2]") {
  const auto dip =
      GENERATE(std::optional<double>{91.9}, std::optional<double>{85.0}, std::optional<double>{});
  bench bench;
  static_cast<void>(bench.score(80));
  CHECK_FALSE(bench.score(95));
  CHECK_FALSE(bench.score_after(9s, dip));
  if (dip) CHECK_FALSE(bench.controller.next_change());
  CHECK_FALSE(bench.score_after(1s, 95));
  CHECK_FALSE(bench.score_after(10s - 1ns, 95));
  CHECK(bench.score_after(1ns, 95));
}

TEST_CASE("better comes one level at a time, each with a dwell of its own", "[level][D2][D2f]") {
  bench bench;
  static_cast<void>(bench.score(0));
  static_cast<void>(bench.score(100));
  for (const auto next : {level::minimal, level::limited, level::degraded, level::optimal}) {
    CHECK_FALSE(bench.score_after(10s - 1ns, 100));
    const auto change = bench.score_after(1ns, 100);
    REQUIRE(change);
    CHECK(change->to == next);
  }
  CHECK_FALSE(bench.score_after(1h, 100));
}

TEST_CASE("a climb stops where the score no longer suffices", "[level][D2]") {
  bench bench;
  static_cast<void>(bench.score(0));
  CHECK_FALSE(bench.score(65));
  CHECK(to(bench.score_after(10s, 65)) == level::minimal);
  CHECK(to(bench.score_after(10s, 65)) == level::limited);
  CHECK_FALSE(bench.controller.next_change());
  CHECK_FALSE(bench.score_after(1h, 65));
}

TEST_CASE("without dwell and hysteresis the level climbs a step with each score", "[level][D2]") {
  bench bench{{.ladder = ladder, .hysteresis = 0, .dwell = 0s, .confirm_for = 0s}};
  static_cast<void>(bench.score(0));
  CHECK(to(bench.score(90)) == level::minimal);
  CHECK(to(bench.score(90)) == level::limited);
  CHECK(to(bench.score(90)) == level::degraded);
  CHECK(to(bench.score(90)) == level::optimal);
}

TEST_CASE("without a panic floor an unknown score holds the level", "[level][H2]") {
  bench bench{{.ladder = ladder, .dwell = 10s, .confirm_for = 0s, .panic_floor = std::nullopt}};
  static_cast<void>(bench.score(65));
  for (int i = 0; i < 3; ++i) CHECK_FALSE(bench.score_after(24h, std::nullopt));
  CHECK(bench.shown() == level::limited);
  CHECK_FALSE(bench.controller.next_change());
}

TEST_CASE("a score that wanders inside the hysteresis band changes nothing, ever", "[level][D2][D2h]") {
  const auto seed = GENERATE(1u, 2u, 3u, 4u);
  INFO("seed " << seed);
  std::mt19937 random{seed};
  for (const auto& [start, threshold, shown] :
       {std::tuple{80.0, 90.0, level::degraded}, std::tuple{65.0, 70.0, level::limited},
        std::tuple{50.0, 60.0, level::minimal}, std::tuple{20.0, 40.0, level::emergency}}) {
    // From below: anything up to the threshold and its hysteresis.
    bench below;
    static_cast<void>(below.score(start));
    std::uniform_real_distribution<double> up_to_the_band{start, threshold + 2};
    std::uniform_int_distribution<int> milliseconds{0, 30'000};
    for (int i = 0; i < 1000; ++i) {
      REQUIRE_FALSE(
          below.score_after(std::chrono::milliseconds{milliseconds(random)}, up_to_the_band(random)));
    }
    REQUIRE(below.shown() == shown);
    // From above: anything from the threshold on.
    bench above;
    static_cast<void>(above.score(threshold));
    const auto held = above.shown();
    std::uniform_real_distribution<double> from_the_threshold{threshold, threshold + 2};
    for (int i = 0; i < 1000; ++i) {
      REQUIRE_FALSE(
          above.score_after(std::chrono::milliseconds{milliseconds(random)}, from_the_threshold(random)));
    }
    REQUIRE(above.shown() == held);
  }
}

TEST_CASE("over any history: worse at once, better by one step, after its dwell and with its score",
          "[level][D2]") {
  const auto seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u);
  INFO("seed " << seed);
  std::mt19937 random{seed};
  bench bench;
  static_cast<void>(bench.score(100));
  time_point enough_since = bench.now;
  for (int i = 0; i < 5000; ++i) {
    bench.now += std::chrono::milliseconds{random() % 4000};
    const double score = random() % 4 == 0 ? static_cast<double>(random() % 101) : 96;
    const auto before = bench.shown();
    const auto dwell = bench.controller.current_dwell();
    if (before == level::optimal || score < ladder.from(ladder.better(before)) + 2) enough_since = bench.now;
    const auto change = bench.score(score);
    REQUIRE(bench.shown() >= ladder.at(score));  // never better than the score
    if (!change) {
      REQUIRE(bench.shown() == before);
      continue;
    }
    REQUIRE(change->from == before);
    REQUIRE(change->to == bench.shown());
    if (change->to > change->from) {
      REQUIRE(change->cause == level_cause::health_fell);
      REQUIRE(change->to == ladder.at(score));
    } else {
      REQUIRE(change->cause == level_cause::health_recovered);
      REQUIRE(change->to == ladder.better(before));
      REQUIRE(score >= ladder.from(change->to) + 2);
      REQUIRE((bench.now - enough_since >= dwell ||
               bench.now - enough_since >= bench.controller.current_dwell()));
    }
    enough_since = bench.now;
  }
}
