// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/detail/outage.hpp"
#include "brownout/breaker/open_period.hpp"

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;
using brownout::adaptive_period;
using brownout::fixed_period;
using brownout::open_period;
using brownout::detail::outage;

TEST_CASE("a period keeps its number, its length and whether it waits, whatever the others are",
          "[breaker][B12]") {
  for (const std::uint32_t number : {1U, 2U, open_period::most_number}) {
    for (const bool waits : {false, true}) {
      for (const brownout::duration least : {brownout::duration{1us}, brownout::duration{36h}}) {
        const auto period = outage::of(number, waits, least);
        CHECK(period.number() == number);
        CHECK(period.waits_after(0) == waits);
        CHECK(period.least() == least);
        CHECK(period.bits >> 52 == 0);
      }
    }
  }
}

TEST_CASE("a period is never shorter than it should be", "[breaker][B9][B9d]") {
  CHECK(outage::of(1, false, 1ns).least() == 1us);
  CHECK(outage::of(1, false, 1001ns).least() == 2us);
  CHECK(outage::of(1, false, 2us).least() == 2us);
}

TEST_CASE("a period waits for four refused calls more than its number, as far as the word can count them",
          "[breaker][B12][B12d]") {
  const auto first = outage::of(1, true, 1s);
  CHECK(first.waits_after(4));
  CHECK_FALSE(first.waits_after(5));
  const auto last = outage::of(open_period::most_number, true, 1s);
  CHECK(last.waits_after(2046));
  CHECK_FALSE(last.waits_after(2047));
}

TEST_CASE("periods are numbered from 1 in each outage and up to the highest number", "[breaker][B12]") {
  const open_period rule = adaptive_period{.least = 100ms, .jitter = 0};
  const outage before{outage::none};
  CHECK(before.next(rule, false, 0s, 0).number() == 1);
  const auto second = outage::of(1, true, 1s).next(rule, false, 0s, 0);
  CHECK(second.number() == 2);
  CHECK(second.least() == 100ms);
  CHECK(second.waits_after(5));
  CHECK(second.next(rule, true, 0s, 0).number() == 1);
  CHECK(outage::of(open_period::most_number, true, 1s).next(rule, false, 0s, 0).number() ==
        open_period::most_number);
}

TEST_CASE("a failure that asks for a longer wait sets the length of a period, which then waits for no call",
          "[breaker][B12][B12g][B12n]") {
  const open_period rule = adaptive_period{.least = 100ms, .jitter = 0};
  const outage before{outage::none};
  const auto told = before.next(rule, true, 100ms + 1us, 0);
  CHECK(told.least() == 100ms + 1us);
  CHECK_FALSE(told.waits_after(0));
  const auto not_longer = before.next(rule, true, 100ms, 0);
  CHECK(not_longer.least() == 100ms);
  CHECK(not_longer.waits_after(0));
  CHECK_FALSE(before.next(fixed_period{1s}, true, 0s, 0).waits_after(0));
}
