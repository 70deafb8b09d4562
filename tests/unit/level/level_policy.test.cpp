// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/levels.hpp"

#include "brownout/level/level_policy.hpp"

#include <chrono>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

using namespace level_test;
using namespace std::chrono_literals;
using brownout::duration;
using policy = brownout::level_policy<level>;

namespace {

std::string refusal(const policy& tried) {
  try {
    tried.validate();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a policy's defaults are the documented ones", "[level][options]") {
  const brownout::level_policy defaults{ladder};
  CHECK(defaults.hysteresis == 3);
  CHECK(defaults.dwell == 1s);
  CHECK(defaults.confirm_for == 1s);
  CHECK(defaults.dwell_growth == 2);
  CHECK(defaults.dwell_limit == 16);
  CHECK(defaults.relapse_within == 12);
  CHECK(refusal(defaults) == "");
}

TEST_CASE("a policy at its limits is accepted, beyond them refused by name", "[level][options]") {
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refusal({.ladder = ladder, .hysteresis = 0, .dwell = 0s, .confirm_for = 0s}) == "");
  CHECK(refusal({.ladder = ladder, .hysteresis = 50, .dwell = 24h, .confirm_for = 24h}) == "");
  CHECK(refusal({.ladder = ladder, .dwell_growth = 1, .dwell_limit = 1, .relapse_within = 1}) == "");
  CHECK(refusal({.ladder = ladder, .dwell_growth = 10, .dwell_limit = 1000, .relapse_within = 1000}) == "");

  CHECK(refusal({.ladder = ladder, .hysteresis = -1}) == "level_policy.hysteresis = -1: allowed is 0 to 50");
  CHECK(refusal({.ladder = ladder, .hysteresis = nan}) ==
        "level_policy.hysteresis = nan: allowed is 0 to 50");
  CHECK(refusal({.ladder = ladder, .hysteresis = 50.5}) != "");
  CHECK(refusal({.ladder = ladder, .dwell = -1s}) == "level_policy.dwell = -1s: allowed is 0s to 24h");
  CHECK(refusal({.ladder = ladder, .dwell = 24h + 1s}) == "level_policy.dwell = 24h1s: allowed is 0s to 24h");
  CHECK(refusal({.ladder = ladder, .confirm_for = -1ns}) ==
        "level_policy.confirm_for = -1ns: allowed is 0s to 24h");
  CHECK(refusal({.ladder = ladder, .confirm_for = 24h + 1s}) ==
        "level_policy.confirm_for = 24h1s: allowed is 0s to 24h");
  CHECK(refusal({.ladder = ladder, .dwell_growth = 0.5}) ==
        "level_policy.dwell_growth = 0.5: allowed is 1 to 10");
  CHECK(refusal({.ladder = ladder, .dwell_growth = 10.5}) != "");
  CHECK(refusal({.ladder = ladder, .dwell_limit = 0}) ==
        "level_policy.dwell_limit = 0: allowed is 1 to 1000");
  CHECK(refusal({.ladder = ladder, .dwell_limit = 1001}) != "");
  CHECK(refusal({.ladder = ladder, .relapse_within = 0}) ==
        "level_policy.relapse_within = 0: allowed is 1 to 1000");
  CHECK(refusal({.ladder = ladder, .relapse_within = 1001}) != "");
}

TEST_CASE("hysteresis asks for more than the threshold, but never for more than there is", "[level][D2]") {
  const policy tested{.ladder = ladder, .hysteresis = 15};
  CHECK(tested.needed_for(level::degraded) == 85);
  CHECK(tested.needed_for(level::optimal) == 100);
}

TEST_CASE("a level that says itself what brings it back asks for that, whatever the hysteresis",
          "[level][D2]") {
  const policy tested{.ladder = {{level::optimal, 90, 91}, {level::degraded, 70, 70}, {level::limited, 0}},
                      .hysteresis = 15};
  CHECK(tested.needed_for(level::optimal) == 91);
  CHECK(tested.needed_for(level::degraded) == 70);
}

TEST_CASE("the dwell grows with each relapse up to its limit", "[level][D2]") {
  const policy tested{
      .ladder = ladder, .dwell = 10s, .dwell_growth = 3, .dwell_limit = 20, .relapse_within = 4};
  CHECK(tested.dwell_after(0) == 10s);
  CHECK(tested.dwell_after(1) == 30s);
  CHECK(tested.dwell_after(2) == 90s);
  CHECK(tested.dwell_after(3) == 200s);
  CHECK(tested.dwell_after(4000000000u) == 200s);
  CHECK(tested.relapse_window(0) == 40s);
  CHECK(tested.relapse_window(1) == 120s);
}

TEST_CASE("no legal policy makes a time that does not fit", "[level][options]") {
  const policy widest{
      .ladder = ladder, .dwell = 24h, .dwell_growth = 10, .dwell_limit = 1000, .relapse_within = 1000};
  REQUIRE(refusal(widest) == "");
  CHECK(widest.dwell_after(3) == 24h * 1000);
  CHECK(widest.relapse_window(3) > widest.dwell_after(3));
}

TEST_CASE("no level needs more than a better one does: it would bar the way up", "[level][D1][D2]") {
  const policy barred{.ladder = {{level::optimal, 90, 91.0},
                                 {level::degraded, 50, 99.0},
                                 {level::limited, 49},
                                 {level::minimal, 0}},
                      .hysteresis = 45};
  CHECK(barred.needed_for(level::optimal) == 91);
  CHECK(barred.needed_for(level::degraded) == 91);
  CHECK(barred.needed_for(level::limited) == 91);
}
