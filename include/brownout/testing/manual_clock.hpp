// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace brownout::inline BROWNOUT_ABI {

/// A clock that moves when told to. Copies tell the same time, so a component can hold one while the test
/// moves it.
///
/// Thread-safe and lock-free. Starts at `start`; for hostile tests it may be set back as well.
class manual_clock {
 public:
  explicit manual_clock(time_point start = time_point{})
      : nanoseconds_{std::make_shared<std::atomic<std::int64_t>>(start.time_since_epoch().count())} {}

  // Publishes nothing but itself, so relaxed is enough: tests that need an order have one of their own.
  [[nodiscard]] time_point now() const noexcept {
    return time_point{duration{nanoseconds_->load(std::memory_order_relaxed)}};
  }
  void advance(duration by) noexcept { nanoseconds_->fetch_add(by.count(), std::memory_order_relaxed); }
  void set(time_point to) noexcept {
    nanoseconds_->store(to.time_since_epoch().count(), std::memory_order_relaxed);
  }

 private:
  std::shared_ptr<std::atomic<std::int64_t>> nanoseconds_;
};
static_assert(clock_source<manual_clock>);

}  // namespace brownout::inline BROWNOUT_ABI
