// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/core/clock.hpp"
#include "brownout/guard/rate_limiter.hpp"
#include "brownout/guard/sliding_window.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace {

using namespace benchmarks;
using namespace std::chrono_literals;

// No loop takes a thousand million tokens a second.
brownout::rate_limiter ample{{.rate = brownout::per_second(1e9), .burst = 1U << 24}};
brownout::rate_limiter paced{{.rate = brownout::per_second(1e9), .burst = 1U << 24}};
brownout::rate_limiter empty{{.rate = brownout::rate{1, 24h * 365}, .burst = 1}};

brownout::sliding_window counted{{.rate = {1 << 20, 100ms}}};

/// A time that goes on by itself, so that its reading costs nothing. One thread only.
brownout::time_point given = brownout::monotonic_clock{}.now();

/// What a limiter cannot do without: it writes a time.
void write_time(brownout::time_point now) {
  const auto next = static_cast<std::uint64_t>(now.time_since_epoch().count());
  auto seen = floors::written.word.load(std::memory_order_relaxed);
  while (!floors::written.word.compare_exchange_weak(seen, next, std::memory_order_relaxed)) {
  }
}

constexpr auto clock_and_exchange = repeated([] {
  write_time(brownout::monotonic_clock{}.now());
  opaque_call();
});
constexpr auto coarse_clock_and_exchange = repeated([] {
  write_time(brownout::monotonic_clock{}.coarse_now());
  opaque_call();
});

const registered admitted{{.name = "rate limiter: admitted",
                           .run = repeated([] {
                             if (!ample.try_acquire()) [[unlikely]]
                               ++floors::surprises;
                             opaque_call();
                           }),
                           .beside = {"steady_clock and compare-and-swap", clock_and_exchange},
                           .wanted = {.ratio = 1.3, .allocations = 0},
                           .prepare = [] {
                             let_escape(ample);
                             let_escape(paced);
                             let_escape(empty);
                             let_escape(given);
                             let_escape(counted);
                             static_cast<void>(empty.try_acquire());
                           }}};

const registered at_a_time{{.name = "rate limiter: admitted, time given",
                            .run = repeated([] {
                              if (!paced.try_acquire_at(given += 1ns)) [[unlikely]]
                                ++floors::surprises;
                              opaque_call();
                            }),
                            .beside = {"coarse clock and compare-and-swap", coarse_clock_and_exchange},
                            .wanted = {.ratio = 1.2, .instructions = 42, .allocations = 0}}};

const registered refused{{.name = "rate limiter: refused",
                          .run = repeated([] {
                            if (empty.try_acquire()) [[unlikely]]
                              ++floors::surprises;
                            opaque_call();
                          }),
                          .beside = floors::clock_reading,
                          .wanted = {.ratio = 1.4, .growth = 1.15, .allocations = 0}}};

/// At 10 million calls a second, a little below the limit.
const registered window{{.name = "sliding window: admitted, time given",
                         .run = repeated([] {
                           if (!counted.try_acquire_at(given += 100ns)) [[unlikely]]
                             ++floors::surprises;
                           opaque_call();
                         }),
                         .beside = {"coarse clock and compare-and-swap", coarse_clock_and_exchange},
                         .wanted = {.allocations = 0}}};

}  // namespace
