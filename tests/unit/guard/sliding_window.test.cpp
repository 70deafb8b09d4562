// SPDX-License-Identifier: BSL-1.0
#include "brownout/guard/sliding_window.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "catch2.hpp"
#include "unit/core/child.hpp"
#include "unit/counted_atomics.hpp"
#include "unit/guard/token_bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace guard_test;
using breaker_test::counted_atomics;
using breaker_test::interrupted_atomics;
using breaker_test::interruption;
using breaker_test::loads_and_writes;
using brownout::call_context;
using brownout::duration;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;
using brownout::sliding_window;
using brownout::sliding_window_options;

using brownout::detail::period_counts;

namespace {

struct window_bench {
  explicit window_bench(sliding_window_options options) : window{std::move(options), clock} {}
  std::uint32_t admitted_now() {
    std::uint32_t admitted = 0;
    while (window.try_acquire()) ++admitted;
    return admitted;
  }

  manual_clock clock;
  sliding_window<manual_clock> window;
};

constexpr bool is_same(const period_counts& a, const period_counts& b) {
  return a.number == b.number && a.previous == b.previous && a.current == b.current;
}

}  // namespace

static_assert(noexcept(std::declval<sliding_window<>&>().try_acquire()));
static_assert(is_same(period_counts::of(period_counts{5, 6, 7}.word()), {5, 6, 7}));
static_assert(is_same(period_counts::of(~std::uint64_t{0}),
                      {(1U << 22) - 1, (1U << 21) - 1, (1U << 21) - 1}));
static_assert(is_same(period_counts{5, 6, 7}.at({5, 1}), {5, 6, 7}));
static_assert(is_same(period_counts{5, 6, 7}.at({6, 1}), {6, 7, 0}));
static_assert(is_same(period_counts{5, 6, 7}.at({7, 1}), {7, 0, 0}));
static_assert(is_same(period_counts{5, 6, 7}.at({4, 1}), {5, 6, 7}));
static_assert(is_same(period_counts{(1U << 22) - 1, 6, 7}.at({0, 1}), {0, 7, 0}));

TEST_CASE("60 calls a minute are 60 calls in each minute", "[guard][sliding-window][L11]") {
  window_bench bench{{.name = "quota", .rate = per_minute(60)}};
  CHECK(bench.admitted_now() == 60);
  for (int minute = 0; minute < 10; ++minute) {
    std::uint32_t admitted = minute == 0 ? 60 : 0;
    for (int i = 0; i < 600; ++i) {
      admitted += bench.admitted_now();
      bench.clock.advance(100ms);
    }
    CHECK(admitted <= 60);
    CHECK(admitted >= 50);
  }
}

TEST_CASE("calls of the period before count by the share of it that is within one period",
          "[guard][sliding-window][L11]") {
  window_bench bench{{.rate = per_minute(60)}};
  bench.clock.advance(30s);
  CHECK(bench.admitted_now() == 60);
  bench.clock.advance(30s);
  CHECK(bench.admitted_now() == 0);  // all of the minute before
  CHECK(bench.window.snapshot().calls == 60);
  bench.clock.advance(15s);
  CHECK(bench.window.snapshot().calls == 45);
  CHECK(bench.admitted_now() == 15);
  bench.clock.advance(15s);
  CHECK(bench.admitted_now() == 15);
  bench.clock.advance(60s);
  CHECK(bench.window.snapshot().calls == 15);  // half of 30
  bench.clock.advance(60s);
  CHECK(bench.window.snapshot().calls == 0);
}

TEST_CASE("a sliding window admits no call a nanosecond too early", "[guard][sliding-window][L11]") {
  window_bench bench{{.rate = per_second(10)}};
  CHECK(bench.admitted_now() == 10);
  bench.clock.advance(1100ms - 1ns);  // a period of 1 s is counted in units of 16 ns
  CHECK(bench.admitted_now() == 0);
  bench.clock.advance(1ns);
  CHECK(bench.admitted_now() == 1);
}

TEST_CASE("of even calls a sliding window refuses at most one in a period", "[guard][sliding-window][L11]") {
  window_bench bench{{.rate = per_minute(60)}};
  int refused = 0;
  SECTION("as many as the limit: the first of a period, when all of the period before count") {
    for (int i = 0; i < 600; ++i, bench.clock.advance(1s)) refused += bench.window.try_acquire() ? 0 : 1;
    CHECK(refused == 9);
  }
  SECTION("one fewer: none") {
    for (int i = 0; i < 590; ++i, bench.clock.advance(duration{60s} / 59))
      refused += bench.window.try_acquire() ? 0 : 1;
    CHECK(refused == 0);
  }
}

TEST_CASE("no time has more calls of a sliding window than its bound",
          "[guard][exhaustive][sliding-window][L11]") {
  for (const auto seed : {1U, 2U, 3U, 4U}) {
    for (const std::uint32_t limit : {1U, 7U, 100U}) {
      window_bench bench{{.rate = per_second(limit)}};
      random_numbers random{seed};
      std::vector<admitted_call> calls;
      std::vector<std::uint32_t> in_period(1000);
      for (int i = 0; i < 4000; ++i) {
        // Bursts just before and just after the ends of periods, and calls in between.
        const auto step =
            random.below(4) == 0
                ? 1'000'000'000 - bench.clock.now().time_since_epoch().count() % 1'000'000'000 - 1
                : static_cast<std::int64_t>(random.below(300'000'000));
        bench.clock.advance(duration{step});
        const auto period = static_cast<std::size_t>(bench.clock.now().time_since_epoch() / 1s);
        if (period >= in_period.size()) break;
        const auto wanted = 1 + random.below(limit);
        for (std::uint64_t k = 0; k < wanted && bench.window.try_acquire(); ++k) {
          calls.push_back({bench.clock.now(), 1});
          ++in_period[period];
        }
      }
      CHECK(*std::max_element(in_period.begin(), in_period.end()) <= limit);
      CHECK(most_beyond(calls, {.rate = per_second(limit), .burst = limit}) <= 0);
      CHECK(calls.size() > 200);
    }
  }
}

TEST_CASE("a refusal of a sliding window says when a call may be made", "[guard][sliding-window][L11]") {
  random_numbers random{9};
  for (const std::uint32_t limit : {1U, 2U, 60U}) {
    window_bench bench{{.name = "quota", .rate = {static_cast<double>(limit), 7s}}};
    for (int i = 0; i < 300; ++i) {
      bench.clock.advance(duration{static_cast<std::int64_t>(random.below(9'000'000'000))});
      for (std::uint64_t k = random.below(limit + 1); k > 0; --k)
        static_cast<void>(bench.window.try_acquire());
      const auto calls = 1 + static_cast<std::uint32_t>(random.below(limit));
      const auto refused = bench.window.try_acquire(calls);
      if (refused) continue;
      CHECK(refused.rejection().reason == rejection_reason::rate_limited);
      CHECK(refused.rejection().guard == "quota");
      const auto wait = refused.rejection().retry_after;
      REQUIRE(wait > 0s);
      REQUIRE(wait <= 14s);
      if (calls == 1) CHECK(bench.window.snapshot().retry_after == wait);
      if (wait > 32ns) {
        bench.clock.advance(wait - 32ns);
        CHECK_FALSE(bench.window.try_acquire(calls));
        bench.clock.advance(32ns);
      } else {
        bench.clock.advance(wait);
      }
      CHECK(bench.window.try_acquire(calls));
    }
  }
}

TEST_CASE("a refusal of a sliding window writes only its count", "[guard][sliding-window][L11]") {
  const manual_clock clock;
  sliding_window<manual_clock, counted_atomics> window{{.rate = per_second(1)}, clock};
  CHECK(counted_atomics::of([&] { CHECK(window.try_acquire()); }) == loads_and_writes{2, 1});
  CHECK(counted_atomics::of([&] { CHECK_FALSE(window.try_acquire()); }) == loads_and_writes{2, 1});
}

TEST_CASE("a sliding window admits several calls together or none", "[guard][sliding-window][L11]") {
  window_bench bench{{.rate = per_second(10)}};
  CHECK(bench.window.try_acquire(7));
  CHECK_FALSE(bench.window.try_acquire(4));
  CHECK(bench.window.try_acquire(3));
  CHECK(bench.window.try_acquire(11).rejection().retry_after == rejection::unknown);
  CHECK(bench.window.try_acquire(~std::uint32_t{0}).rejection().retry_after == rejection::unknown);
  const auto ended = core_test::in_child([&] { static_cast<void>(bench.window.try_acquire(0)); });
  CHECK(ended.signal == SIGABRT);
}

TEST_CASE("a sliding window of 0 calls refuses every call", "[guard][sliding-window][L11]") {
  window_bench bench{{.rate = per_second(0)}};
  CHECK(bench.admitted_now() == 0);
  CHECK(bench.window.snapshot().retry_after == rejection::unknown);
  bench.window.reconfigure({.rate = per_second(2)});
  CHECK(bench.admitted_now() == 2);
}

TEST_CASE("the limit of a sliding window changes and its counts stay", "[guard][sliding-window][L11]") {
  window_bench bench{{.name = "quota", .rate = per_second(10)}};
  CHECK(bench.admitted_now() == 10);
  bench.window.reconfigure({.rate = per_second(4)});
  CHECK(bench.admitted_now() == 0);
  bench.clock.advance(1s);
  CHECK(bench.window.try_acquire().rejection().retry_after >= 700ms);  // until 10 * left is at most 3
  bench.clock.advance(1s);
  CHECK(bench.admitted_now() == 4);
  bench.window.reconfigure({.name = "quota", .rate = per_second(6)});
  CHECK(bench.admitted_now() == 2);
  CHECK_THROWS_WITH(bench.window.reconfigure({.rate = per_minute(6)}),
                    "sliding_window_options.rate = 1m: allowed is 1s");
  CHECK_THROWS_WITH(bench.window.reconfigure({.name = "other", .rate = per_second(6)}),
                    "sliding_window_options.name = 'other': allowed is 'quota'");
  CHECK_THROWS_AS(bench.window.reconfigure({.rate = per_second(0.5)}), std::invalid_argument);
  CHECK(bench.window.options().rate == per_second(6));
  CHECK(bench.window.options().name == "quota");
}

TEST_CASE("a clock that is set back makes a sliding window forget nothing, and wait no longer",
          "[guard][sliding-window][L11]") {
  window_bench bench{{.rate = per_second(10)}};
  bench.clock.advance(24h);
  CHECK(bench.admitted_now() == 10);
  SECTION("by an hour") {
    bench.clock.advance(-1h);
    CHECK(bench.admitted_now() == 0);
    bench.clock.advance(2s);
    CHECK(bench.admitted_now() == 10);
  }
  SECTION("to before the construction") {
    bench.clock.set(time_point::min());
    CHECK(bench.admitted_now() == 0);
    bench.clock.set(time_point{});
    bench.clock.advance(2s);
    CHECK(bench.admitted_now() == 10);
  }
  SECTION("by less than a period") {
    bench.clock.advance(500ms);
    CHECK(bench.admitted_now() == 0);
    bench.clock.advance(-500ms);
    CHECK(bench.admitted_now() == 0);
  }
  SECTION("to the end of time: it works on") {
    bench.clock.set(time_point::max());
    CHECK(bench.admitted_now() == 10);
    CHECK(bench.admitted_now() == 0);
  }
}

TEST_CASE("a time that was read in an earlier period makes a sliding window forget nothing",
          "[guard][sliding-window][L11]") {
  window_bench bench{{.rate = per_second(10)}};
  const auto long_ago = bench.clock.now();
  bench.clock.advance(1h);
  CHECK(bench.admitted_now() == 10);
  CHECK_FALSE(bench.window.try_acquire_at(long_ago));
  CHECK(bench.admitted_now() == 0);
  bench.clock.advance(1s);
  CHECK(bench.admitted_now() == 0);
  bench.clock.advance(1s);
  CHECK(bench.window.try_acquire_at(long_ago));  // by the clock, which was read again
  CHECK(bench.admitted_now() == 9);
}

TEST_CASE("after a silence of any length a sliding window admits its limit", "[guard][sliding-window][L11]") {
  for (const auto periods : {2, 3, 1 << 20, (1 << 21) - 1, (1 << 22) + 2}) {
    window_bench bench{{.rate = {3, 100ms}}};
    CHECK(bench.admitted_now() == 3);
    bench.clock.advance(100ms * periods);
    CHECK(bench.admitted_now() == 3);
    CHECK(bench.admitted_now() == 0);
  }
  // As many periods as there are numbers, or as many as look like the future: two periods later at the
  // latest.
  for (const auto periods : {1 << 21, 3 << 20, (1 << 22) - 1, 1 << 22, (1 << 22) + 1}) {
    window_bench bench{{.rate = {3, 100ms}}};
    CHECK(bench.admitted_now() == 3);
    bench.clock.advance(100ms * periods);
    static_cast<void>(bench.admitted_now());
    bench.clock.advance(200ms);
    CHECK(bench.admitted_now() == 3);
  }
}

TEST_CASE("no interleaving of two callers makes the last call of a sliding window twice",
          "[guard][sliding-window][L11]") {
  for (int n = 0; n < 8; ++n) {
    for (const duration later : {0ms, 999ms}) {
      const manual_clock clock;
      sliding_window<manual_clock, interrupted_atomics> window{{.rate = per_second(1)}, clock};
      auto hand = clock;
      hand.advance(later);
      int admitted = 0;
      interruption::action = [&] { admitted += window.try_acquire() ? 1 : 0; };
      interruption::accesses_left = n;
      interruption::spurious_failures = n % 2;
      admitted += window.try_acquire() ? 1 : 0;
      interruption::accesses_left = -1;
      interruption::spurious_failures = 0;
      CHECK(admitted == 1);
      CHECK_FALSE(window.try_acquire());
    }
  }
}

TEST_CASE("threads make no more calls than a sliding window has", "[guard][sliding-window][L11]") {
  const manual_clock clock;
  sliding_window window{{.rate = per_second(5000)}, clock};
  std::vector<std::uint32_t> admitted(4);
  std::vector<std::thread> running;
  for (auto& mine : admitted) {
    running.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) mine += window.try_acquire() ? 1U : 0U;
    });
  }
  for (auto& one : running) one.join();
  CHECK(admitted[0] + admitted[1] + admitted[2] + admitted[3] == 5000);
  CHECK(window.snapshot().refused == 15'000);
}

TEST_CASE("a sliding window as a stage uses the time of the pipeline", "[guard][sliding-window][L11]") {
  window_bench bench{{.name = "quota", .rate = per_second(1)}};
  const auto call = [](const call_context& context) -> result<std::uint32_t> { return context.attempt; };
  const auto context = call_context{.now = bench.clock.now(), .attempt = 3};
  CHECK(*bench.window.around<std::uint32_t>(context, call) == 3);
  bench.clock.advance(2s);
  CHECK(bench.window.around<std::uint32_t>(context, call).rejection() ==
        rejection{rejection_reason::rate_limited, 2s, false, "quota"});  // since that time
  CHECK(bench.window.around<std::uint32_t>({}, call));
}

TEST_CASE("options of a sliding window are checked", "[guard][sliding-window]") {
  const auto refused = [](brownout::rate rate, const std::string& text) {
    CHECK_THROWS_WITH((sliding_window{{.name = "quota", .rate = rate}}),
                      "sliding_window 'quota': sliding_window_options." + text);
  };
  refused(per_second(0.5), "rate = 0.5 calls: allowed is a whole number from 0 to 1048576");
  refused(per_second(-1), "rate = -1 calls: allowed is a whole number from 0 to 1048576");
  refused(per_second(1 << 21), "rate = 2097152 calls: allowed is a whole number from 0 to 1048576");
  refused(per_second(std::numeric_limits<double>::quiet_NaN()),
          "rate = nan calls: allowed is a whole number from 0 to 1048576");
  refused(per_second(std::numeric_limits<double>::infinity()),
          "rate = inf calls: allowed is a whole number from 0 to 1048576");
  refused({1, 0s}, "rate = 0s: allowed is 100ms to 24h");
  refused({1, (brownout::duration::max)()}, "rate = over 100 years: allowed is 100ms to 24h");
  refused({1, 99ms}, "rate = 99ms: allowed is 100ms to 24h");
  refused({1, 25h}, "rate = 25h: allowed is 100ms to 24h");
  refused({1, -1s}, "rate = -1s: allowed is 100ms to 24h");
  CHECK_THROWS_AS((sliding_window{{.name = std::string(129, 'n'), .rate = per_second(1)}}),
                  std::invalid_argument);
}

TEST_CASE("a sliding window counts to its greatest limit in its longest period",
          "[guard][sliding-window][L11]") {
  window_bench bench{{.rate = {1 << 20, 24h}}};
  CHECK(bench.window.try_acquire(1 << 20));
  CHECK_FALSE(bench.window.try_acquire());
  CHECK(bench.window.snapshot().calls == 1 << 20);
  bench.clock.advance(36h);
  CHECK(bench.window.snapshot().calls == 1 << 19);
  CHECK(bench.window.try_acquire(1 << 19));
  CHECK_FALSE(bench.window.try_acquire());
}
