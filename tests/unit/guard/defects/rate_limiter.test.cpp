// SPDX-License-Identifier: BSL-1.0
#include "brownout/guard/rate_limiter.hpp"
#include "catch2.hpp"
#include "unit/guard/token_bench.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

using namespace guard_test;
using brownout::duration;

namespace {

double seconds(duration value) {
  return std::chrono::duration<double>{value}.count();
}

/// Admits as many calls as fit at this moment.
template <class Limiter>
std::uint32_t admitted_now(Limiter& limiter) {
  std::uint32_t admitted = 0;
  while (admitted < 1000 && limiter.try_acquire()) ++admitted;
  return admitted;
}

/// A bucket in doubles, as it is written most often. `Defect` says what is wrong with it.
enum class defect { none, rounds_up, forgets_refill, overflows_when_idle, zero_admits };
template <defect Defect>
class plain_bucket {
 public:
  plain_bucket(double rate, double burst, manual_clock clock)
      : rate_{rate}, burst_{burst}, tokens_{burst}, clock_{clock}, last_{clock.now()} {}
  bool try_acquire() {
    refill();
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  void change(double rate, double burst) {
    refill();
    if (Defect == defect::forgets_refill && burst < burst_) refills_ = false;
    rate_ = rate;
    burst_ = burst;
    tokens_ = std::min(tokens_, burst);
  }

 private:
  void refill() {
    const auto passed = seconds(clock_.now() - last_);
    last_ = clock_.now();
    if (!refills_) return;
    if (Defect == defect::zero_admits && rate_ <= 0) {
      tokens_ = burst_;  // the interval of a rate of 0 overflows to 0
      return;
    }
    auto came = rate_ * passed;
    if (Defect == defect::rounds_up) came = std::ceil(came);
    tokens_ += came;
    if (Defect != defect::overflows_when_idle) tokens_ = std::min(tokens_, burst_);
  }

  double rate_;
  double burst_;
  double tokens_;
  manual_clock clock_;
  time_point last_;
  bool refills_ = true;
};

rate_limiter_options options(double rate, std::uint32_t burst) {
  return {.rate = per_second(rate), .burst = burst, .most_wait = 0s};
}

}  // namespace

// 205: resilience4j#822.
TEST_CASE("asking often does not make tokens out of fractions", "[guard][rate-limiter][defect-18][L2]") {
  const auto admitted = [](auto&& limiter, manual_clock& clock) {
    std::uint32_t count = admitted_now(limiter);
    for (int i = 0; i < 100; ++i) {  // a second in hundredths
      clock.advance(10ms);
      count += admitted_now(limiter);
    }
    return count;
  };
  bench ours{options(10, 10)};
  CHECK(admitted(ours.limiter, ours.clock) == 20);
  manual_clock clock;
  CHECK(admitted(plain_bucket<defect::none>{10, 10, clock}, clock) <= 20);
  CHECK(admitted(plain_bucket<defect::rounds_up>{10, 10, clock}, clock) == 110);
}

// 206: resilience4j#1283, #1968, #2336.
TEST_CASE("a caller that cannot wait long enough is told at once",
          "[guard][rate-limiter][defect-19][L3][L9]") {
  bench ours{{.rate = per_second(1), .burst = 1, .most_wait = 1h}};
  CHECK(ours.limiter.try_acquire());
  const auto began = ours.clock.now();
  const auto refused = ours.limiter.reserve(1, 999ms);
  REQUIRE_FALSE(refused);
  CHECK(ours.clock.now() - began == 0s);
  CHECK(refused.rejection().retry_after == 1ms);  // and its token was not taken
  CHECK(ours.limiter.snapshot().retry_after == 1s);

  // The twin waits as long as it may, and looks again.
  manual_clock clock;
  plain_bucket<defect::none> twin{1, 1, clock};
  CHECK(twin.try_acquire());
  const auto waits = [&](duration time_out) {
    const auto begin = clock.now();
    while (!twin.try_acquire() && clock.now() - begin < time_out) clock.advance(1ms);
    return clock.now() - begin;
  };
  CHECK(waits(999ms) == 999ms);
}

// 207: resilience4j#2489.
TEST_CASE("a bucket that was made smaller fills again", "[guard][rate-limiter][defect-20][L7]") {
  bench ours{options(10, 10)};
  CHECK(ours.admitted_now() == 10);
  ours.limiter.reconfigure(options(10, 5));
  ours.clock.advance(1h);
  CHECK(ours.admitted_now() == 5);

  manual_clock clock;
  plain_bucket<defect::forgets_refill> twin{10, 10, clock};
  CHECK(admitted_now(twin) == 10);
  twin.change(10, 5);
  clock.advance(1h);
  CHECK(admitted_now(twin) == 0);
}

// 208: leaky-bucket#30.
TEST_CASE("a bucket that was idle for long does not overflow", "[guard][rate-limiter][defect-21][L5]") {
  bench ours{options(10, 10)};
  ours.clock.advance(24h * 365);
  CHECK(ours.admitted_now() == 10);

  manual_clock clock;
  plain_bucket<defect::overflows_when_idle> twin{10, 10, clock};
  clock.advance(10s);
  CHECK(admitted_now(twin) == 110);
}

// 209: ratelimit_meter#36.
TEST_CASE("the time to wait knows the burst", "[guard][rate-limiter][defect-22][L3]") {
  bench ours{options(10, 4)};
  CHECK(ours.limiter.try_acquire(4));
  CHECK(ours.limiter.try_acquire().rejection().retry_after == 100ms);

  // The twin tells how far the arrival time lies ahead, as if the burst were 1.
  constexpr auto interval = 100ms;
  const auto arrival = 4 * interval;
  const duration wait = arrival;
  CHECK(wait == 400ms);
}

// 210: golang/go#39984.
TEST_CASE("a rate of 0 with a burst of 1 admits nothing", "[guard][rate-limiter][defect-23][L6]") {
  bench ours{options(0, 1)};
  CHECK(ours.admitted_now() == 0);

  manual_clock clock;
  plain_bucket<defect::zero_admits> twin{0, 1, clock};
  CHECK(admitted_now(twin) == 1000);
}

namespace {

/// So many calls in each period of the clock.
class fixed_window {
 public:
  fixed_window(std::uint32_t limit, duration period, manual_clock clock)
      : limit_{limit}, period_{period}, clock_{clock} {}
  bool try_acquire() {
    const auto number = clock_.now().time_since_epoch() / period_;
    if (number != number_) count_ = 0;
    number_ = number;
    return count_ < limit_ && ++count_ != 0;
  }

 private:
  std::uint32_t limit_;
  duration period_;
  manual_clock clock_;
  std::int64_t number_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace

// 211: gubernator#118.
TEST_CASE("the edge of a period does not give its limit twice", "[guard][rate-limiter][defect-24][L2]") {
  const auto around_the_edge = [](auto&& limiter, manual_clock& clock) {
    clock.advance(60s - 1ms);
    const auto before = admitted_now(limiter);
    clock.advance(1ms);
    return before + admitted_now(limiter);
  };
  bench ours{{.rate = per_minute(60), .burst = 60}};
  CHECK(around_the_edge(ours.limiter, ours.clock) == 60);
  manual_clock clock;
  CHECK(around_the_edge(fixed_window{60, 60s, clock}, clock) == 120);
}

namespace {

/// Keeps, in one double, the time at which the bucket was empty, in seconds of the clock.
class time_in_a_double {
 public:
  time_in_a_double(double rate, double burst, manual_clock clock)
      : rate_{rate}, burst_{burst}, clock_{clock} {}
  bool try_acquire() {
    const auto now = seconds(clock_.now().time_since_epoch());
    const auto tokens = std::min((now - zero_) * rate_, burst_);
    if (tokens < 1) return false;
    zero_ = now - (tokens - 1) / rate_;
    return true;
  }

 private:
  double rate_;
  double burst_;
  manual_clock clock_;
  double zero_ = 0;
};

}  // namespace

// 212: folly#2430.
TEST_CASE("a slow rate loses no token, however long the machine runs",
          "[guard][rate-limiter][defect-25][L1]") {
  // A full bucket of 3 tokens at 0.00007/s, after the clock has counted for 100 years.
  const time_point late{24h * 36525};
  manual_clock clock{late};
  rate_limiter limiter{{.rate = per_second(0.00007), .burst = 3}, clock};
  CHECK(admitted_now(limiter) == 3);

  // In a double the times of the twin are rounded: some of its full buckets hold one token less.
  int short_of_one = 0;
  for (int i = 0; i < 200; ++i) {
    manual_clock later{late + i * 1234567ns};
    time_in_a_double twin{0.00007, 3, later};
    if (admitted_now(twin) < 3) ++short_of_one;
    rate_limiter ours{{.rate = per_second(0.00007), .burst = 3}, later};
    CHECK(admitted_now(ours) == 3);
  }
  CHECK(short_of_one > 0);
}

// 213: rclone#9828.
TEST_CASE("a burst that would overflow is refused, and a great one works",
          "[guard][rate-limiter][defect-26][L1]") {
  CHECK_THROWS(rate_limiter{{.rate = per_hour(1), .burst = 1U << 24}});
  bench ours{options(1e9, 1U << 24)};
  CHECK(ours.limiter.try_acquire(1U << 24));
  CHECK_FALSE(ours.limiter.try_acquire());

  // The twin computes how long a burst lasts in 32 bits of microseconds, as sizes often are.
  const auto lasts = [](std::uint32_t burst, std::uint32_t microseconds) { return burst * microseconds; };
  CHECK(lasts(1U << 24, 256) == 0);
}
