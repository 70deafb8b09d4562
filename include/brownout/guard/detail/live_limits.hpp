// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/compiler.hpp"
#include "brownout/guard/detail/token_limits.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Two sets of the limits of a rate limiter. A bit of the limiter's word says which is in force; a thread
/// that changes them fills the other one, and then changes the word.
///
/// A thread that sleeps in the middle of reading one may see a mixture, if the limits were changed twice
/// meanwhile. Its compare-and-swap of the word then fails, unless the arrival time is again what it was. In
/// that case one call is judged by the mixture.
template <class Atomics>
class live_limits {
 public:
  explicit live_limits(const token_limits& first) noexcept : greatest_burst_{first.burst} { write(0, first); }

  // relaxed, here and below: the word publishes the values. See the limiter's (1) and (4).
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE ticks interval(std::uint32_t slot) const noexcept {
    return sets_[slot].interval.load(std::memory_order_relaxed);
  }
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE ticks tolerance(std::uint32_t slot) const noexcept {
    return sets_[slot].tolerance.load(std::memory_order_relaxed);
  }
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE ticks furthest(std::uint32_t slot) const noexcept {
    return sets_[slot].furthest.load(std::memory_order_relaxed);
  }
  [[nodiscard]] token_limits read(std::uint32_t slot) const noexcept {
    const auto& from = sets_[slot];
    return {interval(slot),
            tolerance(slot),
            from.most_wait.load(std::memory_order_relaxed),
            furthest(slot),
            from.burst.load(std::memory_order_relaxed),
            from.per_second.load(std::memory_order_relaxed)};
  }
  /// Precondition: the set is not in force, and only one thread at a time writes.
  void write(std::uint32_t slot, const token_limits& limits) noexcept {
    auto& to = sets_[slot];
    to.interval.store(limits.interval, std::memory_order_relaxed);
    to.tolerance.store(limits.tolerance, std::memory_order_relaxed);
    to.most_wait.store(limits.most_wait, std::memory_order_relaxed);
    to.furthest.store(limits.furthest, std::memory_order_relaxed);
    to.burst.store(limits.burst, std::memory_order_relaxed);
    to.per_second.store(limits.per_second, std::memory_order_relaxed);
  }

  /// The greatest burst that has ever been in force.
  [[nodiscard]] std::uint32_t greatest_burst() const noexcept {
    return greatest_burst_.load(std::memory_order_relaxed);
  }
  /// Precondition: only one thread at a time.
  void allow(std::uint32_t tokens) noexcept {
    greatest_burst_.store((std::max)(greatest_burst(), tokens), std::memory_order_relaxed);
  }

 private:
  // Written by the thread that changes the limits, while the set is not in force.
  struct set {
    typename Atomics::template atomic<ticks> interval{0};
    typename Atomics::template atomic<ticks> tolerance{0};
    typename Atomics::template atomic<ticks> most_wait{0};
    typename Atomics::template atomic<ticks> furthest{0};
    typename Atomics::template atomic<double> per_second{0};
    typename Atomics::template atomic<std::uint32_t> burst{0};
  };
  std::array<set, 2> sets_{};
  // Written by the thread that changes the limits; a number that publishes nothing.
  typename Atomics::template atomic<std::uint32_t> greatest_burst_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
