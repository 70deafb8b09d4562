// SPDX-License-Identifier: BSL-1.0
#include "brownout/guard/rate_limiter.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "catch2.hpp"
#include "unit/core/child.hpp"
#include "unit/counted_atomics.hpp"
#include "unit/guard/token_bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

using namespace guard_test;
using breaker_test::counted_atomics;
using breaker_test::interrupted_atomics;
using breaker_test::interruption;
using breaker_test::loads_and_writes;
using brownout::call_context;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;
using brownout::detail::ticks;
using brownout::detail::token_limits;

static_assert(!std::is_copy_constructible_v<rate_limiter<>> && !std::is_move_constructible_v<rate_limiter<>>);
static_assert(!std::is_copy_constructible_v<rate_limiter<>::reservation>);
static_assert(noexcept(std::declval<rate_limiter<>&>().try_acquire()));
static_assert(!std::is_default_constructible_v<brownout::rate>);  // a rate must be said
static_assert(per_second(100) == brownout::rate{100, 1s});
static_assert(per_minute(60).per_second() == 1 && per_hour(36).per_second() == 0.01);

TEST_CASE("the interval of a rate limiter is exact to a thousandth", "[guard][rate-limiter][L1]") {
  const auto interval = [](const brownout::rate& given) { return token_limits::of(given, 1, 0s).interval; };
  CHECK(interval(per_second(100)) == ticks{16} * 10'000'000);
  CHECK(interval(per_minute(60)) == ticks{16} * 1'000'000'000);
  CHECK(interval(per_hour(1)) == ticks{16} * 3'600'000'000'000);
  CHECK(interval({1, 24h * 365}) == ticks{16} * 31'536'000 * 1'000'000'000);
  for (double rate = 0.0001; rate < 1e7; rate *= 1.7) {
    const auto exact = 16e9 / rate;
    CHECK(static_cast<double>(interval(per_second(rate))) >= exact);  // never more than the rate
    CHECK(static_cast<double>(interval(per_second(rate))) < exact * 1.001);
  }
}

TEST_CASE("a full bucket admits its burst at once, and then the rate", "[guard][rate-limiter][L1][L2]") {
  bench bench{{.name = "quota", .rate = per_second(100), .burst = 20}};
  CHECK(bench.admitted_now() == 20);
  for (int i = 0; i < 50; ++i) {
    bench.clock.advance(10ms - 1ns);
    CHECK_FALSE(bench.limiter.try_acquire());
    bench.clock.advance(1ns);
    CHECK(bench.limiter.try_acquire());
    CHECK_FALSE(bench.limiter.try_acquire());
  }
}

TEST_CASE("a bucket whose tokens come every year is as exact", "[guard][rate-limiter][L1][L2]") {
  bench bench{{.rate = {1, 24h * 365}, .burst = 1}};
  CHECK(bench.admitted_now() == 1);
  for (int year = 0; year < 5; ++year) {
    bench.clock.advance(24h * 365 - 1ns);
    CHECK(bench.admitted_now() == 0);
    bench.clock.advance(1ns);
    CHECK(bench.admitted_now() == 1);
  }
}

TEST_CASE("after 13 years a rate limiter gives no more tokens, and no more than before",
          "[guard][rate-limiter][L1][L2]") {
  bench bench{{.rate = per_second(1), .burst = 5}};
  bench.clock.advance(24h * 365 * 13);
  CHECK(bench.admitted_now() == 5);
  for (int i = 0; i < 10; ++i) {
    bench.clock.advance(24h * 365);
    CHECK(bench.admitted_now() <= 5);
  }
  CHECK(bench.admitted_now() == 0);
  bench.clock.set(time_point::max());
  CHECK(bench.admitted_now() == 0);
}

TEST_CASE("no time has more calls of a rate limiter than burst and rate allow", "[guard][rate-limiter][L2]") {
  for (const auto& options : {rate_limiter_options{.rate = per_second(1000), .burst = 7},
                              rate_limiter_options{.rate = per_second(3), .burst = 1},
                              rate_limiter_options{.rate = per_second(1.7e6), .burst = 100},
                              rate_limiter_options{.rate = per_second(1e9), .burst = 3}}) {
    bench bench{options};
    random_numbers random{7};
    const auto interval = std::chrono::duration<double, std::nano>{1e9 / options.rate.per_second()};
    std::vector<admitted_call> calls;
    for (int i = 0; i < 3000; ++i) {
      // Mostly a little less or more than an interval, now and then a burst or a silence.
      const auto share = random.below(20) == 0 ? 30.0 : static_cast<double>(random.below(100)) / 60;
      bench.clock.advance(std::chrono::duration_cast<brownout::duration>(interval * share));
      const auto tokens = 1 + static_cast<std::uint32_t>(random.below(options.burst));
      if (bench.limiter.try_acquire(tokens)) calls.push_back({bench.clock.now(), tokens});
    }
    CHECK(calls.size() > 100);
    CHECK(most_beyond(calls, options) <= 0);
  }
}

TEST_CASE("threads with clocks of their own get no more calls than burst and rate allow",
          "[guard][rate-limiter][L2]") {
  const rate_limiter_options options{.rate = per_second(50'000), .burst = 10};
  rate_limiter limiter{options};
  std::vector<std::vector<admitted_call>> by_thread(4);
  std::vector<std::thread> running;
  for (auto& mine : by_thread) {
    running.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        const auto now = brownout::monotonic_clock{}.now();
        if (limiter.try_acquire_at(now)) mine.push_back({now, 1});
      }
    });
  }
  for (auto& one : running) one.join();
  std::vector<admitted_call> calls;
  for (const auto& one : by_thread) calls.insert(calls.end(), one.begin(), one.end());
  CHECK(calls.size() + limiter.snapshot().refused == 80'000);
  CHECK(most_beyond(calls, options) <= 0);
}

TEST_CASE("no interleaving of two callers takes the last token twice", "[guard][rate-limiter][L2]") {
  for (int n = 0; n < 12; ++n) {
    for (int spurious = 0; spurious < 2; ++spurious) {
      INFO("the other caller before access " << n << ", spurious failures: " << spurious);
      const manual_clock clock;
      rate_limiter<manual_clock, interrupted_atomics> limiter{{.rate = per_second(1), .burst = 1}, clock};
      int admitted = 0;
      interruption::action = [&] { admitted += limiter.try_acquire() ? 1 : 0; };
      interruption::accesses_left = n;
      interruption::spurious_failures = spurious;
      admitted += limiter.try_acquire() ? 1 : 0;
      const bool was_interrupted = interruption::accesses_left < 0;
      interruption::accesses_left = -1;
      interruption::spurious_failures = 0;
      CHECK(admitted == 1);
      CHECK(limiter.snapshot().refused == (was_interrupted ? 1 : 0));
    }
  }
}

TEST_CASE("a refusal of a rate limiter writes only its count", "[guard][rate-limiter][L3]") {
  const manual_clock clock;
  rate_limiter<manual_clock, counted_atomics> limiter{{.rate = per_second(1), .burst = 1}, clock};
  // One load of the word, two of the limits, and one compare-and-swap.
  CHECK(counted_atomics::of([&] { CHECK(limiter.try_acquire()); }) == loads_and_writes{3, 1});
  CHECK(counted_atomics::of([&] { CHECK_FALSE(limiter.try_acquire()); }).second == 1);
}

TEST_CASE("a refusal says exactly when there will be enough tokens", "[guard][rate-limiter][L3]") {
  bench bench{{.name = "quota", .rate = per_second(3), .burst = 4}};
  const auto tokens = GENERATE(1U, 2U, 4U);
  for (int i = 0; i < 10; ++i) {
    bench.clock.advance(123'456'789ns);
    while (bench.limiter.try_acquire()) {
    }
    const auto refused = bench.limiter.try_acquire(tokens);
    REQUIRE_FALSE(refused);
    CHECK(refused.rejection().reason == rejection_reason::rate_limited);
    CHECK_FALSE(refused.rejection().began);
    CHECK(refused.rejection().guard.data() == bench.limiter.name().data());
    const auto wait = refused.rejection().retry_after;
    if (tokens == 1) CHECK(bench.limiter.snapshot().retry_after == wait);
    bench.clock.advance(wait - 1ns);
    CHECK_FALSE(bench.limiter.try_acquire(tokens));
    bench.clock.advance(1ns);
    CHECK(bench.limiter.try_acquire(tokens));
  }
}

TEST_CASE("a call may take several tokens, and takes all of them or none", "[guard][rate-limiter][L4]") {
  bench bench{{.rate = per_second(10), .burst = 10}};
  CHECK(bench.limiter.try_acquire(7));
  CHECK_FALSE(bench.limiter.try_acquire(4));
  CHECK(bench.limiter.try_acquire(3));
  CHECK_FALSE(bench.limiter.try_acquire());
  bench.clock.advance(1s);
  CHECK(bench.limiter.try_acquire(10));
}

TEST_CASE("a call of more tokens than the burst is a broken precondition", "[guard][rate-limiter][L4]") {
  const auto aborts = [](std::uint32_t tokens) {
    const auto ended = core_test::in_child([&] {
      rate_limiter limiter{{.rate = per_second(10), .burst = 10}};
      static_cast<void>(limiter.try_acquire(tokens));
    });
    CHECK((ended.signal != SIGABRT || ended.output.find("at most its burst") != std::string::npos));
    return ended.signal == SIGABRT;
  };
  CHECK_FALSE(aborts(1));
  CHECK_FALSE(aborts(10));
  CHECK(aborts(11));
  CHECK(aborts(0));
  CHECK(aborts(~std::uint32_t{0}));
}

TEST_CASE("a call of more tokens than a lowered burst is refused, and not told to wait",
          "[guard][rate-limiter][L4][L7]") {
  bench bench{{.rate = per_second(10), .burst = 10}};
  bench.limiter.reconfigure({.rate = per_second(10), .burst = 3});
  const auto refused = bench.limiter.try_acquire(10);
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection().retry_after == rejection::unknown);
  CHECK(bench.limiter.try_acquire(3));
}

TEST_CASE("idle time of a rate limiter is worth its burst and not more", "[guard][rate-limiter][L5]") {
  bench bench{{.rate = per_second(10), .burst = 5}};
  for (const auto idle : {brownout::duration{10s}, brownout::duration{24h * 400}}) {
    bench.clock.advance(idle);
    CHECK(bench.limiter.snapshot().tokens == 5);
    CHECK(bench.admitted_now() == 5);
  }
}

TEST_CASE("a rate of 0 refuses every call", "[guard][rate-limiter][L6]") {
  bench bench{{.rate = per_second(0), .burst = 1}};
  for (int i = 0; i < 3; ++i) {
    const auto refused = bench.limiter.try_acquire();
    REQUIRE_FALSE(refused);
    CHECK(refused.rejection().retry_after == rejection::unknown);
    CHECK_FALSE(bench.limiter.reserve());
    bench.clock.advance(24h * 365);
  }
  CHECK(bench.limiter.snapshot().tokens == 0);
  CHECK(bench.limiter.snapshot().retry_after == rejection::unknown);
}

TEST_CASE("by default a rate limiter has the burst of 100 ms, and at least 1", "[guard][rate-limiter][L6]") {
  const auto burst = [](const brownout::rate& rate) { return bench{{.rate = rate}}.limiter.options().burst; };
  CHECK(burst(per_second(100)) == 10);
  CHECK(burst(per_second(109)) == 10);
  CHECK(burst(per_minute(1)) == 1);
  CHECK(burst(per_second(0)) == 1);
  CHECK(burst(per_second(1e9)) == rate_limiter_options::most_burst);
}

TEST_CASE("the snapshot of a rate limiter shows its tokens and when the next one comes",
          "[guard][rate-limiter][L3]") {
  bench bench{{.rate = per_second(100), .burst = 3}};
  CHECK(bench.limiter.snapshot().tokens == 3);
  CHECK(bench.limiter.snapshot().retry_after == 0s);
  CHECK(bench.limiter.snapshot().rate_per_second == 100);
  CHECK(bench.limiter.snapshot().burst == 3);
  CHECK(bench.limiter.try_acquire(3));
  bench.clock.advance(9ms);
  CHECK(bench.limiter.snapshot().tokens == 0);
  CHECK(bench.limiter.snapshot().retry_after == 1ms);
  bench.clock.advance(1ms);
  CHECK(bench.limiter.snapshot().tokens == 1);
}

TEST_CASE("a rate limiter as a stage uses the time of the pipeline", "[guard][rate-limiter][L2]") {
  bench bench{{.name = "quota", .rate = per_second(1), .burst = 1}};
  const auto call = [](const call_context& context) -> result<std::unique_ptr<int>> {
    return std::make_unique<int>(static_cast<int>(context.attempt));
  };
  const auto context = call_context{.now = bench.clock.now(), .attempt = 3};
  CHECK(**bench.limiter.around<std::unique_ptr<int>>(context, call) == 3);
  const auto refused = bench.limiter.around<std::unique_ptr<int>>(context, call);
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection() == rejection{rejection_reason::rate_limited, 1s, false, "quota"});
  bench.clock.advance(1s);
  CHECK_FALSE(bench.limiter.around<std::unique_ptr<int>>(context, call));  // of a second ago
  CHECK(bench.limiter.around<std::unique_ptr<int>>({}, call));             // reads the clock
}

TEST_CASE("options of a rate limiter are checked", "[guard][rate-limiter]") {
  const auto with = [](brownout::rate rate, std::uint32_t burst, brownout::duration most_wait) {
    return rate_limiter_options{.name = "quota", .rate = rate, .burst = burst, .most_wait = most_wait};
  };
  const auto refused = [](const rate_limiter_options& options, const std::string& text) {
    CHECK_THROWS_WITH(rate_limiter{options}, "rate_limiter 'quota': rate_limiter_options." + text);
  };
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  constexpr auto infinite = std::numeric_limits<double>::infinity();
  refused(with(per_second(-1), 1, 0s), "rate = -1/s: allowed is 0, or 1 a year to 1000000000/s");
  refused(with(per_second(nan), 1, 0s), "rate = nan/s: allowed is 0, or 1 a year to 1000000000/s");
  refused(with({1, 0s}, 1, 0s), "rate = inf/s: allowed is 0, or 1 a year to 1000000000/s");
  refused(with({-1, -1s}, 1, 0s), "rate = 1/s: allowed is 0, or 1 a year to 1000000000/s");
  refused(with({1, 24h * 366}, 1, 0s),
          "rate = 3.1623153207852664e-08/s: allowed is 0, or 1 a year to 1000000000/s");
  CHECK_THROWS_AS(rate_limiter{with(per_second(infinite), 1, 0s)}, std::invalid_argument);
  CHECK_THROWS_AS(rate_limiter{with(per_second(1.001e9), 1, 0s)}, std::invalid_argument);
  CHECK_THROWS_AS(rate_limiter{with({0, 0s}, 1, 0s)}, std::invalid_argument);
  CHECK_THROWS_AS(rate_limiter{with({1, brownout::duration::max()}, 1, 0s)}, std::invalid_argument);
  refused(with(per_second(1), (1U << 24) + 1, 0s), "burst = 16777217: allowed is 1 to 16777216");
  refused(with(per_hour(1), 8761, 0s), "burst = 8761: allowed is 1 to 8760, the tokens of a year");
  refused(with(per_second(1), 1, -1ns), "most_wait = -1ns: allowed is 0s to 1h");
  refused(with(per_second(1), 1, brownout::duration::max()),
          "most_wait = over 100 years: allowed is 0s to 1h");
  CHECK_THROWS_AS((rate_limiter{{.name = std::string(129, 'n'), .rate = per_second(1)}}),
                  std::invalid_argument);
  CHECK_NOTHROW(rate_limiter{with(per_second(1e9), 1U << 24, 1h)});
  CHECK_NOTHROW(rate_limiter{with(per_hour(1), 8760, 1h)});
}
