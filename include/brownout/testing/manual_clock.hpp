// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace brownout::inline BROWNOUT_ABI {

/// A clock that moves only when a test tells it to. Copies show the same time: give one copy to a component,
/// and move the clock by another copy.
///
/// It starts at `start`. It may be set back, to test components against a clock that breaks its contract.
/// Thread-safe and lock-free.
class manual_clock {
 public:
  manual_clock() : manual_clock{time_point{}} {}
  /// A clock that shows this time.
  explicit manual_clock(time_point start) : shared_{std::make_shared<readings>()} { set(start); }

  // Relaxed, here and below: a reading publishes nothing else, and tests that need an order have their own.
  /// The time that it shows.
  [[nodiscard]] time_point now() const noexcept {
    return time_point{duration{shared_->nanoseconds.load(std::memory_order_relaxed)}};
  }
  /// `now()` minus the lag that was set by `set_coarse_lag`. The lag is 0 at first.
  [[nodiscard]] time_point coarse_now() const noexcept {
    return now() - duration{shared_->coarse_lag.load(std::memory_order_relaxed)};
  }

  /// Moves the time on.
  void advance(duration by) noexcept {
    shared_->nanoseconds.fetch_add(by.count(), std::memory_order_relaxed);
  }
  /// Lets `how_long` pass at once: what waits on this clock, such as a `retry`, does not block.
  void wait_for(duration how_long) const noexcept {
    shared_->nanoseconds.fetch_add(how_long.count(), std::memory_order_relaxed);
  }
  /// Sets the time.
  void set(time_point to) noexcept {
    shared_->nanoseconds.store(to.time_since_epoch().count(), std::memory_order_relaxed);
  }
  /// How far the coarse reading is to lie behind the precise one: 0 to `coarse_resolution`, as for any clock.
  /// For tests of code that reads `coarse_now()`.
  void set_coarse_lag(duration lag) noexcept {
    shared_->coarse_lag.store(lag.count(), std::memory_order_relaxed);
  }

 private:
  struct readings {
    // Written by the test, read by each thread that has a copy. Each member publishes only itself.
    std::atomic<std::int64_t> nanoseconds{0};
    std::atomic<std::int64_t> coarse_lag{0};
  };

  std::shared_ptr<readings> shared_;
};
static_assert(clock_source<manual_clock>);

}  // namespace brownout::inline BROWNOUT_ABI
