// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/detail/era_value.hpp"
#include "brownout/core/atomics.hpp"

#include <chrono>

using namespace std::chrono_literals;
using brownout::duration;
using tested_moment = brownout::detail::moment<brownout::std_atomics>;

namespace {
constexpr auto current = [] { return true; };
constexpr auto over = [] { return false; };
}  // namespace

TEST_CASE("the first thread that sees an era fixes its moment for all", "[breaker][B9]") {
  tested_moment moment;
  CHECK(moment.fix(1, 10s, current) == 10s);
  CHECK(moment.fix(1, 20s, current) == 10s);
  CHECK(moment.fix(2, 30s, current) == 30s);
  CHECK(moment.fix(0xfff, 40s, current) == 40s);
}

TEST_CASE("an era that is over gets no moment, and takes none from its successor", "[breaker][B9]") {
  tested_moment moment;
  CHECK(moment.fix(2, 20s, current) == 20s);
  CHECK_FALSE(moment.fix(1, 30s, over));
  CHECK(moment.fix(2, 40s, current) == 20s);
  CHECK_FALSE(moment.fix(2, 40s, over));  // its own key, but the caller's view is stale
}

TEST_CASE("a thread that fell asleep before it could fix a moment takes the one that was fixed meanwhile",
          "[breaker][B9]") {
  tested_moment moment;
  bool asleep = true;
  const auto seen = moment.fix(1, 10s, [&] {
    if (asleep) {
      asleep = false;
      CHECK(moment.fix(1, 20s, current) == 20s);
    }
    return true;
  });
  CHECK(seen == 20s);
}

TEST_CASE("a thread that fell asleep over the end of its era leaves the next one's moment alone",
          "[breaker][B9]") {
  tested_moment moment;
  bool is_over = false;
  const auto seen = moment.fix(1, 10s, [&] {
    if (is_over) return false;
    is_over = true;
    CHECK(moment.fix(1, 20s, current) == 20s);
    CHECK(moment.fix(2, 30s, current) == 30s);
    return true;  // it was, when the sleeper looked
  });
  CHECK_FALSE(seen);
  CHECK(moment.fix(2, 99s, current) == 30s);
}

TEST_CASE("moments are whole microseconds, never early", "[breaker][B9]") {
  tested_moment moment;
  CHECK(moment.fix(1, 1ns, current) == 1us);
  CHECK(moment.fix(2, 1us, current) == 1us);
  CHECK(moment.fix(3, 1001ns, current) == 2us);
  CHECK(moment.fix(4, -1s, current) == 0s);  // before the beginning: the beginning
  CHECK(moment.fix(5, 24h * 365 * 140, current) == 24h * 365 * 140);
}
