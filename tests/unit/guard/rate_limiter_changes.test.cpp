// SPDX-License-Identifier: BSL-1.0
#include "brownout/guard/rate_limiter.hpp"
#include "catch2.hpp"
#include "unit/guard/token_bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using namespace guard_test;
using breaker_test::interrupted_atomics;
using breaker_test::interruption;
using brownout::duration;

namespace {

/// What people mean by a bucket of tokens. The oracle of changes: it knows nothing of arrival times.
class bucket {
 public:
  explicit bucket(const rate_limiter_options& options)
      : rate_{options.rate.per_second()}, burst_{static_cast<double>(options.burst)}, tokens_{burst_} {}
  void advance(duration by) {
    tokens_ = std::min(burst_, tokens_ + rate_ * std::chrono::duration<double>{by}.count());
  }
  void change(const rate_limiter_options& options) {
    rate_ = options.rate.per_second();
    burst_ = static_cast<double>(options.burst);
    tokens_ = std::min(burst_, tokens_);
  }
  void take(double count) { tokens_ -= count; }
  [[nodiscard]] double tokens() const { return tokens_; }

 private:
  double rate_;
  double burst_;
  double tokens_;
};

/// How long until a token is there.
duration wait_of(bench& bench) {
  return bench.limiter.snapshot().retry_after;
}

}  // namespace

TEST_CASE("another rate begins with the tokens that are there", "[guard][rate-limiter][L7]") {
  bench bench{{.name = "quota", .rate = per_second(100), .burst = 20}};
  CHECK(bench.admitted_now() == 20);
  SECTION("lower: an empty bucket stays empty") {
    bench.limiter.reconfigure({.rate = per_second(10), .burst = 20});
    CHECK(bench.admitted_now() == 0);
    CHECK(wait_of(bench) == 100ms);
  }
  SECTION("lower: it fills up, and does not stop") {
    bench.limiter.reconfigure({.rate = per_second(10), .burst = 20});
    bench.clock.advance(1s);
    CHECK(bench.admitted_now() == 10);
    bench.clock.advance(10s);
    CHECK(bench.admitted_now() == 20);
  }
  SECTION("higher: nobody waits for tokens of the old rate") {
    bench.limiter.reconfigure({.rate = per_second(1000), .burst = 20});
    CHECK(bench.admitted_now() == 0);
    CHECK(wait_of(bench) == 1ms);
  }
  SECTION("half a token stays half a token") {
    bench.clock.advance(5ms);
    bench.limiter.reconfigure({.rate = per_second(10), .burst = 20});
    CHECK(wait_of(bench) >= 50ms);
    CHECK(wait_of(bench) <= 50ms + 1ns);
  }
  SECTION("a full bucket stays full") {
    bench.clock.advance(1s);
    bench.limiter.reconfigure({.rate = per_second(7), .burst = 20});
    CHECK(bench.admitted_now() == 20);
  }
  CHECK(bench.limiter.options().name == "quota");
}

TEST_CASE("another burst gives no tokens and takes only those without room", "[guard][rate-limiter][L7]") {
  bench bench{{.rate = per_second(10), .burst = 5}};
  SECTION("greater: it fills at the rate") {
    bench.limiter.reconfigure({.rate = per_second(10), .burst = 20});
    CHECK(bench.admitted_now() == 5);
    bench.clock.advance(1s);
    CHECK(bench.admitted_now() == 10);
    bench.clock.advance(10s);
    CHECK(bench.admitted_now() == 20);
  }
  SECTION("smaller: no more than it holds") {
    bench.limiter.reconfigure({.rate = per_second(10), .burst = 2});
    CHECK(bench.admitted_now() == 2);
    bench.clock.advance(10s);
    CHECK(bench.admitted_now() == 2);
  }
  SECTION("smaller, of an empty bucket: still empty") {
    CHECK(bench.admitted_now() == 5);
    bench.limiter.reconfigure({.rate = per_second(10), .burst = 2});
    CHECK(bench.admitted_now() == 0);
  }
}

TEST_CASE("while the rate is 0 no tokens come and none are lost", "[guard][rate-limiter][L6][L7]") {
  bench bench{{.rate = per_second(10), .burst = 5}};
  CHECK(bench.limiter.try_acquire(2));
  bench.limiter.reconfigure({.rate = per_second(0), .burst = 5});
  bench.clock.advance(1h);
  CHECK(bench.admitted_now() == 0);
  bench.limiter.reconfigure({.rate = per_second(0), .burst = 50});
  bench.limiter.reconfigure({.rate = per_second(1), .burst = 50});
  CHECK(bench.admitted_now() == 3);
  CHECK(wait_of(bench) == 1s);
}

TEST_CASE("tokens that reservations owe stay owed when the rate changes", "[guard][rate-limiter][L7][L9]") {
  bench bench{{.rate = per_second(100), .burst = 1}};
  CHECK(bench.admitted_now() == 1);
  for (int i = 0; i < 10; ++i) {
    auto ahead = bench.limiter.reserve();
    REQUIRE(ahead);
    ahead->use();
  }
  bench.limiter.reconfigure({.rate = per_second(10), .burst = 1, .most_wait = 0s});
  CHECK(wait_of(bench) == 1100ms);
  bench.clock.advance(1100ms - 1ns);
  CHECK(bench.admitted_now() == 0);
  bench.clock.advance(1ns);
  CHECK(bench.admitted_now() == 1);
}

TEST_CASE("a part of a token is counted upwards, also of tokens that are owed", "[guard][rate-limiter][L7]") {
  const auto limits = brownout::detail::token_limits::of(per_second(1), 1, 1h);
  const auto owed = limits.tokens_at(0, brownout::detail::to_ticks(1500ms));
  CHECK(owed.whole == -1);
  CHECK(owed.part == 0.5);
  CHECK(limits.debt_with(owed) >= brownout::detail::to_ticks(1500ms));
  CHECK(limits.debt_with(owed) <= brownout::detail::to_ticks(1500ms) + 1);
}

TEST_CASE("no debt of a rate limiter lasts longer than a year", "[guard][rate-limiter][L7][L9]") {
  bench bench{{.rate = per_second(1e6), .burst = 1, .most_wait = 1h}};
  for (;;) {
    auto ahead = bench.limiter.reserve(1);
    if (!ahead) break;
    ahead->use();
    if (ahead->wait() > 1ms) break;
  }
  bench.limiter.reconfigure({.rate = per_hour(0.001), .burst = 1});
  CHECK(wait_of(bench) <= 24h * 365);
  bench.clock.advance(24h * 365);
  CHECK(bench.admitted_now() == 1);
}

TEST_CASE("a rate limiter whose options change again and again agrees with a bucket of tokens",
          "[guard][rate-limiter][L5][L7]") {
  random_numbers random{11};
  rate_limiter_options options{.rate = per_second(10), .burst = 5};
  bench bench{options};
  bucket expected{options};
  int compared = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto step = duration{static_cast<std::int64_t>(random.below(100'000'000))};
    bench.clock.advance(step);
    expected.advance(step);
    if (random.below(10) == 0) {
      options.rate = per_second(static_cast<double>(1 + random.below(1000)) / 10);
      options.burst = 1 + static_cast<std::uint32_t>(random.below(30));
      bench.limiter.reconfigure(options);
      expected.change(options);
    }
    const auto tokens = 1 + static_cast<std::uint32_t>(random.below(options.burst));
    // Where one has a token and the other all but a millionth of it, either answer is right.
    if (std::abs(expected.tokens() - tokens) < 1e-6) continue;
    const bool admitted = bench.limiter.try_acquire(tokens).has_value();
    REQUIRE(admitted == (expected.tokens() >= tokens));
    if (admitted) expected.take(tokens);
    ++compared;
  }
  CHECK(compared > 15'000);
}

TEST_CASE("no interleaving of a change and a call gives or loses a token", "[guard][rate-limiter][L7]") {
  using interrupted_limiter = rate_limiter<manual_clock, interrupted_atomics>;
  const rate_limiter_options slower{.rate = per_second(1), .burst = 4};
  for (int n = 0; n < 40; ++n) {
    for (const bool change_first : {false, true}) {
      INFO("interrupted before access " << n << (change_first ? " of the change" : " of the call"));
      const manual_clock clock;
      interrupted_limiter limiter{{.rate = per_second(1000), .burst = 4}, clock};
      int admitted = limiter.try_acquire(2) ? 2 : 0;
      const auto call = [&] { admitted += limiter.try_acquire() ? 1 : 0; };
      const auto change = [&] { limiter.reconfigure(slower); };
      if (change_first) {
        interruption::action = call;
      } else {
        interruption::action = change;
      }
      interruption::accesses_left = n;
      if (change_first) {
        change();
      } else {
        call();
      }
      interruption::accesses_left = -1;
      while (limiter.try_acquire()) ++admitted;
      CHECK(admitted == 4);
    }
  }
}

TEST_CASE("threads get no token too many while the options change", "[guard][rate-limiter][L7]") {
  // The clock stands still, so there are only the tokens of the beginning.
  const manual_clock clock;
  rate_limiter limiter{{.rate = per_second(100), .burst = 10'000}, clock};
  std::atomic<std::uint32_t> admitted{0};
  std::atomic<bool> stops{false};
  std::vector<std::thread> running;
  for (int t = 0; t < 3; ++t) {
    running.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        if (limiter.try_acquire()) admitted.fetch_add(1);
      }
    });
  }
  running.emplace_back([&] {
    while (!stops) {
      limiter.reconfigure({.rate = per_second(1), .burst = 10'000});
      limiter.reconfigure({.rate = per_second(1000), .burst = 10'000});
    }
  });
  for (std::size_t t = 0; t < 3; ++t) running[t].join();
  stops = true;
  running.back().join();
  while (limiter.try_acquire()) admitted.fetch_add(1);
  CHECK(admitted <= 10'000);
  CHECK(admitted >= 9990);  // a change may round away a billionth of a token
}

TEST_CASE("a change of a rate limiter that is not valid changes nothing", "[guard][rate-limiter][L7]") {
  bench bench{{.name = "quota", .rate = per_second(10), .burst = 5}};
  CHECK_THROWS_WITH(bench.limiter.reconfigure({.rate = per_second(-1)}),
                    "rate_limiter 'quota': rate_limiter_options.rate = -1/s: allowed is 0, or 1 a year to "
                    "1000000000/s");
  CHECK_THROWS_WITH(bench.limiter.reconfigure({.name = "other", .rate = per_second(1)}),
                    "rate_limiter_options.name = 'other': allowed is 'quota'");
  CHECK(bench.limiter.options().rate == per_second(10));
  CHECK(bench.admitted_now() == 5);
  bench.limiter.reconfigure({.name = "quota", .rate = per_second(100)});
  CHECK(bench.limiter.options().burst == 10);
  CHECK(bench.limiter.options().most_wait == 1s);
}

TEST_CASE("a clock that is set back gives a rate limiter no token and no long wait",
          "[guard][rate-limiter][L8]") {
  bench bench{{.rate = per_second(100), .burst = 20, .most_wait = 100ms}};
  bench.clock.advance(10h);
  CHECK(bench.admitted_now() == 20);
  SECTION("by an hour") {
    bench.clock.set(bench.clock.now() - 1h);
    const auto refused = bench.limiter.try_acquire();
    REQUIRE_FALSE(refused);
    // Everything that a bucket can owe: its burst and the longest reservation.
    CHECK(refused.rejection().retry_after <= 300ms);
    // The wait is not told anew at each call: it ends.
    duration waited{};
    while (!bench.limiter.try_acquire()) {
      bench.clock.advance(1ms);
      waited += 1ms;
    }
    CHECK(waited <= refused.rejection().retry_after + 1ms);
  }
  SECTION("by a little: the tokens come later") {
    bench.clock.set(bench.clock.now() - 50ms);
    CHECK(bench.limiter.try_acquire().rejection().retry_after == 60ms);
  }
  SECTION("to before the construction") {
    bench.clock.set(time_point{} - 1h);
    CHECK_FALSE(bench.limiter.try_acquire());
    bench.clock.set(time_point::min());
    CHECK_FALSE(bench.limiter.try_acquire());
  }
}

TEST_CASE("a clock that goes to and fro gives no token twice", "[guard][rate-limiter][L8]") {
  random_numbers random{3};
  const rate_limiter_options options{.rate = per_second(100), .burst = 8, .most_wait = 0s};
  bench bench{options};
  bench.clock.advance(24h);
  duration forward{};
  double admitted = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random.below(50) == 0) {
      bench.clock.advance(-duration{static_cast<std::int64_t>(random.below(10'000'000'000))});
    } else {
      const duration step{static_cast<std::int64_t>(random.below(20'000'000))};
      bench.clock.advance(step);
      forward += step;
    }
    if (bench.limiter.try_acquire()) ++admitted;
  }
  CHECK(admitted <= 8 + 100 * std::chrono::duration<double>{forward}.count());
  CHECK(admitted >= 60 * std::chrono::duration<double>{forward}.count());
}

TEST_CASE("a time that was read long ago costs nobody's debt", "[guard][rate-limiter][L8]") {
  bench bench{{.rate = per_second(100), .burst = 20, .most_wait = 0s}};
  const auto long_ago = bench.clock.now();
  bench.clock.advance(1h);
  CHECK(bench.admitted_now() == 20);
  const auto refused = bench.limiter.try_acquire_at(long_ago);
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection().retry_after == 10ms);  // by the clock, which was read again
  CHECK(bench.admitted_now() == 0);
  bench.clock.advance(10ms);
  CHECK(bench.limiter.try_acquire_at(long_ago));
  CHECK(bench.admitted_now() == 0);
}

TEST_CASE("a clock that stands still gives the burst and no more", "[guard][rate-limiter][L8]") {
  bench bench{{.rate = per_second(1e9), .burst = 100}};
  CHECK(bench.admitted_now() == 100);
  CHECK(bench.admitted_now() == 0);
}

TEST_CASE("a reservation takes its token at once and tells the wait", "[guard][rate-limiter][L9]") {
  bench bench{{.name = "quota", .rate = per_second(100), .burst = 2, .most_wait = 25ms}};
  std::vector<rate_limiter<manual_clock>::reservation> ahead;
  for (const auto wait : {0ms, 0ms, 10ms, 20ms}) {
    auto reserved = bench.limiter.reserve();
    REQUIRE(reserved);
    CHECK(reserved->wait() == wait);
    ahead.push_back(*std::move(reserved));
  }
  const auto refused = bench.limiter.reserve();
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection().reason == brownout::rejection_reason::rate_limited);
  CHECK(refused.rejection().guard == "quota");
  CHECK(refused.rejection().retry_after == 5ms);  // then 25 ms are left, as long as may be waited
  CHECK(bench.limiter.snapshot().refused == 1);
  CHECK_FALSE(bench.limiter.try_acquire());
  CHECK(wait_of(bench) == 30ms);
  bench.clock.advance(5ms);
  auto last = bench.limiter.reserve();
  REQUIRE(last);
  CHECK(last->wait() == 25ms);
  for (auto& one : ahead) one.use();
  last->use();
  bench.clock.advance(25ms);
  CHECK(bench.admitted_now() == 0);
  bench.clock.advance(10ms);
  CHECK(bench.admitted_now() == 1);
}

TEST_CASE("a caller may say how long it can wait for a reservation", "[guard][rate-limiter][L9]") {
  bench bench{{.rate = per_second(100), .burst = 4}};
  CHECK(bench.admitted_now() == 4);
  CHECK_FALSE(bench.limiter.reserve(1, 10ms - 1ns));
  CHECK(bench.limiter.reserve(1, 10ms - 1ns).rejection().retry_after == 1ns);
  CHECK(bench.limiter.reserve(1, -1s).rejection().retry_after == 10ms);
  CHECK(bench.limiter.reserve(1, duration::min()).rejection().retry_after == 10ms);
  CHECK(bench.limiter.reserve(3, 30ms)->wait() == 30ms);
}

TEST_CASE("a reservation that is not used goes back if no other call came after it",
          "[guard][rate-limiter][L9]") {
  bench bench{{.rate = per_second(100), .burst = 1}};
  auto first = bench.limiter.reserve();
  auto second = bench.limiter.reserve();
  REQUIRE((first && second));
  SECTION("the last one does") {
    CHECK(second->cancel());
    CHECK(wait_of(bench) == 10ms);
    CHECK(second->settled());
    CHECK_FALSE(second->cancel());
    SECTION("and then the one before it") {
      CHECK(first->cancel());
      CHECK(bench.admitted_now() == 1);
    }
  }
  SECTION("an earlier one does not: the later ones know their times") {
    CHECK_FALSE(first->cancel());
    CHECK(wait_of(bench) == 20ms);
  }
  SECTION("when it is destroyed") {
    { const auto dropped = *std::move(second); }
    CHECK(wait_of(bench) == 10ms);
  }
  SECTION("when another one is assigned to it") {
    *second = *std::move(first);
    CHECK(wait_of(bench) == 10ms);  // the second went back, and is now the first
    CHECK(first->settled());
    CHECK(second->cancel());
    CHECK(wait_of(bench) == 0ms);
  }
  SECTION("not when it is assigned to itself") {
    auto& itself = *second;
    *second = std::move(itself);
    CHECK(wait_of(bench) == 20ms);
    CHECK(second->cancel());
  }
  SECTION("not after it was used") {
    second->use();
    CHECK(second->settled());
    CHECK_FALSE(second->cancel());
    CHECK(wait_of(bench) == 20ms);
  }
  SECTION("not after the options changed") {
    bench.limiter.reconfigure({.rate = per_second(100), .burst = 1});
    CHECK_FALSE(second->cancel());
    CHECK(wait_of(bench) == 20ms);
  }
}

TEST_CASE("calls with and without reservations keep to burst and rate together",
          "[guard][rate-limiter][L2][L9]") {
  random_numbers random{5};
  const rate_limiter_options options{.rate = per_second(100), .burst = 6, .most_wait = 50ms};
  bench bench{options};
  std::vector<admitted_call> calls;
  for (int i = 0; i < 5000; ++i) {
    bench.clock.advance(duration{static_cast<std::int64_t>(random.below(15'000'000))});
    const auto tokens = 1 + static_cast<std::uint32_t>(random.below(3));
    if (random.below(2) == 0) {
      if (bench.limiter.try_acquire(tokens)) calls.push_back({bench.clock.now(), tokens});
    } else if (auto reserved = bench.limiter.reserve(tokens)) {
      if (random.below(4) == 0) continue;  // dropped
      calls.push_back({bench.clock.now() + reserved->wait(), tokens});
      reserved->use();
    }
  }
  CHECK(calls.size() > 1000);
  CHECK(most_beyond(calls, options) <= 0);
}
