// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"

#include "brownout/recovery/retry_after_policy.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <limits>
#include <map>
#include <random>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::recovery_estimate;
using brownout::retry_after_policy;

namespace {

constexpr double nearly_one = 1 - std::numeric_limits<double>::epsilon() / 2;

/// The first and the last answer there is, the last one but for the nanosecond that rounds it.
struct answers {
  duration first;
  duration last;
  friend bool operator==(const answers&, const answers&) = default;
};

answers range_of(const retry_after_policy& policy, const recovery_estimate& recovery) {
  const auto last = policy.retry_after(recovery, nearly_one);
  return {policy.retry_after(recovery, 0), std::chrono::ceil<std::chrono::milliseconds>(last)};
}

std::string refusal(const retry_after_policy& tried) {
  try {
    tried.validate();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("callers are told to come back between p50 and p90", "[recovery][D6]") {
  constexpr retry_after_policy policy;
  constexpr recovery_estimate recovery{.p50 = 40s, .p90 = 120s};
  CHECK(range_of(policy, recovery) == answers{40s, 120s});
  CHECK(policy.retry_after(recovery, 0.25) == 60s);
  CHECK(policy.retry_after(recovery, 0.5) == 80s);
}

TEST_CASE("callers are told something sensible while recovery is unknown", "[recovery][D6]") {
  constexpr retry_after_policy policy{.fallback = 20s};
  CHECK(range_of(policy, {}) == answers{20s, 40s});
  CHECK(range_of(policy, {.p50 = 50s}) == answers{50s, 100s});
  CHECK(range_of(policy, {.not_before = 25s}) == answers{25s, 50s});
  CHECK(range_of(policy, {.not_before = 1s}) == answers{20s, 40s});
}

TEST_CASE("no caller waits longer than is known, but for the narrowest spread", "[recovery][D6]") {
  constexpr retry_after_policy policy{.fallback = 20s};
  CHECK(policy.retry_after({}, 0, 35s) == 20s);
  CHECK(policy.retry_after({}, nearly_one, 35s) > 34s);
  CHECK(policy.retry_after({}, nearly_one, 35s) < 35s);
  CHECK(policy.retry_after({}, nearly_one, 21s) < 30s);  // 10 s after 20 s
  CHECK(policy.retry_after({}, nearly_one, 10min) < 40s);
}

TEST_CASE("no caller is told to come back before it could help", "[recovery][D6]") {
  CHECK(range_of({}, {.not_before = 60s, .p50 = 40s, .p90 = 120s}) == answers{60s, 120s});
  CHECK(range_of({}, {.not_before = 60s, .p50 = 60s, .p90 = 60s}) == answers{60s, 70s});
}

TEST_CASE("the limits move callers' return and never put it on one moment", "[recovery][D6]") {
  constexpr retry_after_policy policy{.shortest = 2s, .narrowest = 8s, .longest = 60s};
  CHECK(range_of(policy, {.p50 = 0s, .p90 = 0s}) == answers{2s, 10s});
  CHECK(range_of(policy, {.p50 = 10s, .p90 = 11s}) == answers{10s, 18s});
  CHECK(range_of(policy, {.p50 = 50s, .p90 = 90s}) == answers{50s, 60s});
  CHECK(range_of(policy, {.p50 = 58s, .p90 = 90s}) == answers{52s, 60s});
  CHECK(range_of(policy, {.p50 = 1h, .p90 = 2h}) == answers{52s, 60s});
  CHECK(range_of(policy, {.not_before = 1h}) == answers{52s, 60s});
  constexpr auto longest = duration::max();
  CHECK(range_of(policy, {.not_before = longest, .p50 = longest, .p90 = longest}) == answers{52s, 60s});
  constexpr retry_after_policy tight{.fallback = 24h, .shortest = 2s, .narrowest = 8s, .longest = 10s};
  CHECK(range_of(tight, {}) == answers{2s, 10s});
}

TEST_CASE("ten thousand callers turned away in one outage come back spread out", "[recovery][D6]") {
  const auto recovery = GENERATE(recovery_estimate{}, recovery_estimate{.p50 = 40s, .p90 = 120s},
                                 recovery_estimate{.p50 = 5s, .p90 = 5s},
                                 recovery_estimate{.not_before = 1h, .p50 = 2h, .p90 = 3h});
  constexpr retry_after_policy policy;
  const auto [first, last] = range_of(policy, recovery);
  REQUIRE(last - first >= 10s);
  std::mt19937_64 random{7};
  std::map<std::chrono::milliseconds, int> instants;
  std::array<int, 10> tenths{};
  for (int i = 0; i < 10'000; ++i) {
    const auto told = policy.retry_after(recovery, static_cast<double>(random() >> 11) * 0x1p-53);
    REQUIRE(told >= first);
    REQUIRE(told <= last);
    ++instants[std::chrono::floor<std::chrono::milliseconds>(told)];
    ++tenths[static_cast<std::size_t>(std::min((told - first) * 10 / (last - first), std::int64_t{9}))];
  }
  // 10,000 over at least 10,000 ms: no millisecond has more than a thousandth, no tenth many more than one.
  for (const auto& [at, callers] : instants) REQUIRE(callers <= 10);
  for (const auto callers : tenths) {
    CHECK(callers > 900);
    CHECK(callers < 1100);
  }
}

TEST_CASE("a chance that is none is a broken precondition", "[recovery][D6]") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto aborts = [](double chance) {
    return core_test::in_child([&] {
             static_cast<void>(retry_after_policy{}.retry_after({}, chance));
           }).signal == SIGABRT;
  };
  CHECK(aborts(1));
  CHECK(aborts(-0.1));
  CHECK(aborts(nan));
}

TEST_CASE("a retry-after policy's defaults are the documented ones", "[recovery][options]") {
  const retry_after_policy defaults;
  CHECK(defaults.fallback == 30s);
  CHECK(defaults.shortest == 1s);
  CHECK(defaults.narrowest == 10s);
  CHECK(defaults.longest == 5min);
  CHECK(refusal(defaults) == "");
}

TEST_CASE("a retry-after policy at its limits is accepted, beyond them refused by name",
          "[recovery][options]") {
  CHECK(refusal({.fallback = 1ms, .shortest = 0s, .narrowest = 1ms, .longest = 1ms}) == "");
  CHECK(refusal({.fallback = 24h, .shortest = 12h, .narrowest = 12h, .longest = 24h}) == "");
  CHECK(refusal({.fallback = 0s}) == "retry_after_policy.fallback = 0s: allowed is 1ms to 24h");
  CHECK(refusal({.fallback = 24h + 1s}) == "retry_after_policy.fallback = 24h1s: allowed is 1ms to 24h");
  CHECK(refusal({.shortest = -1s}) == "retry_after_policy.shortest = -1s: allowed is 0s to 12h");
  CHECK(refusal({.shortest = 12h + 1s, .longest = 24h}) ==
        "retry_after_policy.shortest = 12h1s: allowed is 0s to 12h");
  CHECK(refusal({.narrowest = 0s}) == "retry_after_policy.narrowest = 0s: allowed is 1ms to 12h");
  CHECK(refusal({.narrowest = 12h + 1s, .longest = 24h}) ==
        "retry_after_policy.narrowest = 12h1s: allowed is 1ms to 12h");
  CHECK(refusal({.longest = 11s - 1ns}) ==
        "retry_after_policy.longest = 10.999999999s: allowed is 11s to 24h");
  CHECK(refusal({.longest = 24h + 1s}) == "retry_after_policy.longest = 24h1s: allowed is 11s to 24h");
}
