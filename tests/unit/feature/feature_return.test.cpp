// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/feature/detail/feature_return.hpp"

#include <chrono>
#include <optional>
#include <random>
#include <stdexcept>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::time_point;
using brownout::detail::degradation_word;
using brownout::detail::feature_return;

namespace {

constexpr time_point start{1h};
constexpr degradation_word best{0, brownout::dependency_set{6}, 5};
constexpr degradation_word second{1, {}};
constexpr degradation_word third{2, {}};

}  // namespace

TEST_CASE("until a level gets better nothing returns", "[feature][D4]") {
  feature_return returning{64s};
  CHECK(returning.at(start, best) == best);
  CHECK_FALSE(returning.next_change(start));
  returning.note(0, 3, start);  // worse
  CHECK(returning.at(start, third) == third);
  CHECK_FALSE(returning.next_change(start));
}

TEST_CASE("the share grows from nothing to the whole over the time that was given", "[feature][D4]") {
  feature_return returning{64s};
  returning.note(2, 0, start);
  const auto at_once = returning.at(start, best);
  CHECK(at_once == best.returning(2, 0));
  CHECK(returning.at(start + 1s - 1ns, best).returned_share() == 0);
  CHECK(returning.at(start + 1s, best).returned_share() == 1);
  CHECK(returning.at(start + 32s, best) == best.returning(2, 32));
  CHECK(returning.at(start + 64s - 1ns, best) == best.returning(2, 63));
  CHECK(returning.at(start + 64s, best) == best);
  CHECK_FALSE(returning.next_change(start + 64s));
  CHECK(returning.at(start + 65s, best) == best);
}

TEST_CASE("an end that nobody looked at is due, and not put off", "[feature][D4]") {
  feature_return returning{64s};
  returning.note(2, 0, start);
  CHECK(returning.next_change(start + 64s) == start + 64s);
  CHECK(returning.next_change(start + 1h) == start + 64s);
}

TEST_CASE("without a time everything returns at once", "[feature][D4]") {
  feature_return returning{0s};
  returning.note(2, 0, start);
  CHECK(returning.at(start, best) == best);
  CHECK_FALSE(returning.next_change(start));
}

TEST_CASE("whatever the time, no step of the share is skipped, none is late, and at the end all are back",
          "[feature][D4]") {
  std::mt19937_64 random{8};
  for (int i = 0; i < 300; ++i) {
    const duration over =
        i < 130 ? duration{i + 1}
                : duration{1 + static_cast<duration::rep>(random() % std::uint64_t(duration{1h}.count()))};
    INFO(over.count() << " ns");
    feature_return returning{over};
    returning.note(1, 0, start);
    auto now = start;
    std::uint32_t share = 0;
    for (int steps = 0;; ++steps) {
      REQUIRE(steps <= 64);
      REQUIRE(returning.at(now, best) == best.returning(1, share));
      const auto next = returning.next_change(now);
      REQUIRE(next);
      REQUIRE(*next > now);
      // Until then it stays as it is.
      REQUIRE(returning.at(*next - 1ns, best) == best.returning(1, share));
      const auto between = now + (*next - now) / 2;
      REQUIRE(returning.next_change(between) == next);
      now = *next;
      const auto then = returning.at(now, best);
      if (then == best) break;
      REQUIRE(then.returned_share() > share);
      if (over >= 64ns) REQUIRE(then.returned_share() == share + 1);
      share = then.returned_share();
    }
    REQUIRE(now == start + over);
  }
}

TEST_CASE("at random moments the share never falls", "[feature][D4]") {
  std::mt19937_64 random{2};
  for (int i = 0; i < 200; ++i) {
    feature_return returning{10s};
    returning.note(3, 0, start);
    std::uint32_t share = 0;
    for (auto now = start; now < start + 10s;
         now += duration{static_cast<duration::rep>(random() % 500'000'000)}) {
      const auto seen = returning.at(now, best);
      REQUIRE(seen.returning_from() == 3);
      REQUIRE(seen.returned_share() >= share);
      REQUIRE(seen.returned_share() == static_cast<std::uint32_t>((now - start) * 64 / 10s));
      share = seen.returned_share();
    }
  }
}

TEST_CASE("worse again halfway, but not to where features return from: those that it allows go on returning",
          "[feature][D4]") {
  feature_return returning{64s};
  returning.note(2, 0, start);
  returning.note(0, 1, start + 32s);
  CHECK(returning.at(start + 32s, second) == second.returning(2, 32));
  CHECK(returning.next_change(start + 32s) == start + 33s);
  CHECK(returning.at(start + 64s, second) == second);
}

TEST_CASE("worse again to where features return from, or further: there is nothing left to return",
          "[feature][D4]") {
  for (const std::size_t to : {2u, 3u}) {
    feature_return returning{64s};
    returning.note(2, 0, start);
    returning.note(0, to, start + 32s);
    CHECK_FALSE(returning.next_change(start + 32s));
    CHECK(returning.at(start + 32s, degradation_word{to, {}}) == degradation_word{to, {}});
    returning.note(to, 1, start + 40s);  // and from there anew
    CHECK(returning.at(start + 40s, second) == second.returning(to, 0));
    CHECK(returning.at(start + 50s, second).returned_share() == 10);
  }
}

TEST_CASE("better twice: what the first step was bringing back is let in at once", "[feature][D4]") {
  feature_return returning{64s};
  returning.note(3, 2, start);
  returning.note(2, 0, start + 10s);
  CHECK(returning.at(start + 10s, best) == best.returning(2, 0));
  CHECK(returning.at(start + 10s + 64s, best) == best);
}

TEST_CASE("finished, all are back", "[feature][D4]") {
  feature_return returning{64s};
  returning.note(2, 0, start);
  returning.finish();
  CHECK(returning.at(start + 1s, best) == best);
  CHECK_FALSE(returning.next_change(start + 1s));
}

TEST_CASE("a time to return in that is out of range is refused", "[feature][options]") {
  CHECK_NOTHROW(feature_return{0s});
  CHECK_NOTHROW(feature_return{1h});
  CHECK_THROWS_WITH(feature_return{-1s}, "feature_return.over = -1s: allowed is 0s to 1h");
  CHECK_THROWS_WITH(feature_return{1h + 1s}, "feature_return.over = 1h1s: allowed is 0s to 1h");
}

TEST_CASE("another time counts from the next change of the level on", "[feature][D4][D4f]") {
  feature_return returning{64s};
  returning.note(2, 0, start);
  for (const auto other : {duration{1h}, duration{1s}}) {
    returning.reconfigure(other);
    CHECK(returning.at(start + 32s, best) == best.returning(2, 32));
    CHECK(returning.next_change(start + 32s) == start + 33s);
  }
  returning.note(0, 2, start + 40s);
  returning.note(2, 0, start + 50s);
  CHECK(returning.at(start + 50s + 500ms, best) == best.returning(2, 32));
  CHECK(returning.at(start + 51s, best) == best);
}

TEST_CASE("without a time from now on, what still returns is back at once", "[feature][D4]") {
  feature_return returning{64s};
  returning.note(2, 0, start);
  returning.reconfigure(0s);
  CHECK(returning.at(start + 1s, best) == best);
}
