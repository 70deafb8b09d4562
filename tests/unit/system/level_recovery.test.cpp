// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/system/detail/level_recovery.hpp"

#include <chrono>
#include <optional>
#include <vector>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::ongoing_outage;
using brownout::recovery_predictor;
using brownout::detail::level_burden;
using brownout::detail::level_recovery;

namespace {

/// A dependency whose outages have all lasted as long.
recovery_predictor always(duration length) {
  recovery_predictor made;
  for (int i = 0; i < 20; ++i) made.note_ended(length);
  return made;
}

const recovery_predictor short_ones = always(30s);
const recovery_predictor long_ones = always(5min);
const recovery_predictor nothing_known;

level_burden out(double lost, const recovery_predictor& history, duration not_before = {},
                 bool required = false) {
  return {.lost = lost,
          .capped = required ? 100.0 : 0.0,
          .outage = ongoing_outage{.history = &history, .elapsed = 10s, .not_before = not_before}};
}
level_burden slow(double lost, bool required = false) {
  return {.lost = lost, .capped = required ? 100.0 : 0.0};
}

}  // namespace

TEST_CASE("the level recovers when the outages that hold it down have ended, and a climb later",
          "[system][D6]") {
  const auto one = level_recovery({out(50, short_ones, 7s)}, 10, 40s);
  CHECK(one.p50 == 20s + 40s);
  CHECK(one.p90 == 20s + 40s);
  CHECK(one.not_before == 7s + 40s);
  const auto both = level_recovery({out(50, short_ones, 7s), out(20, long_ones, 3s)}, 10, 40s);
  CHECK(both.p50 == 290s + 40s);
  CHECK(both.not_before == 7s + 40s);
  CHECK_FALSE(level_recovery({out(50, short_ones), out(20, nothing_known)}, 10, 40s).p50);
}

TEST_CASE("small outages may go on as long as the level can do without them", "[system][D6]") {
  // 8 points may be lost: the smallest first.
  CHECK(level_recovery({out(50, short_ones), out(8, nothing_known)}, 8, 0s).p50 == 20s);
  CHECK(level_recovery({out(5, nothing_known), out(50, short_ones), out(3, nothing_known)}, 8, 0s).p50 ==
        20s);
  CHECK_FALSE(level_recovery({out(50, short_ones), out(8.5, nothing_known)}, 8, 0s).p50);
  // The greater of two that do not both fit is waited for.
  CHECK(level_recovery({out(5, nothing_known), out(6, short_ones)}, 8, 0s).p50 == 20s);
  CHECK_FALSE(level_recovery({out(6, nothing_known), out(5, short_ones)}, 8, 0s).p50);
  CHECK(level_recovery({out(8, nothing_known)}, 8, 15s).p50 == 15s);
}

TEST_CASE("a required one is waited for, however little it weighs", "[system][D6]") {
  CHECK(level_recovery({out(1, long_ones, {}, true)}, 8, 0s).p50 == 290s);
  CHECK_FALSE(level_recovery({out(1, nothing_known, {}, true), out(50, short_ones)}, 8, 0s).p50);
}

TEST_CASE("who loses too much without an outage may do so for ever: when that ends is unknown",
          "[system][D6][D6e]") {
  CHECK(level_recovery({out(50, short_ones), slow(8)}, 8, 0s).p50 == 20s);
  const auto unknown = level_recovery({out(50, short_ones, 7s), slow(8.5)}, 8, 5s);
  CHECK_FALSE(unknown.p50);
  CHECK_FALSE(unknown.p90);
  CHECK(unknown.not_before == 12s);
  CHECK_FALSE(level_recovery({slow(4), out(50, short_ones), slow(5)}, 8, 0s).p50);
  // What it takes is no longer there for outages to go on.
  CHECK_FALSE(level_recovery({slow(4), out(50, short_ones), out(5, nothing_known)}, 8, 0s).p50);
  CHECK(level_recovery({slow(4), out(50, short_ones), out(4, nothing_known)}, 8, 0s).p50 == 20s);
  CHECK_FALSE(level_recovery({out(50, short_ones), slow(4, true)}, 8, 0s).p50);  // it caps the score
}

TEST_CASE("with nothing wrong it is the climb alone", "[system][D6]") {
  const auto well = level_recovery({slow(0), slow(0)}, 8, 25s);
  CHECK(well.not_before == 25s);
  CHECK(well.p50 == 25s);
  CHECK(well.p90 == 25s);
}
