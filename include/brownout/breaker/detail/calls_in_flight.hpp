// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/thread_number.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What a permit keeps of a call that is timed.
struct call_start {
  static constexpr std::uint16_t nowhere = 256;

  duration at{};                  // when it began
  std::uint16_t place = nowhere;  // in the table of calls in flight
  bool was_overdue = false;       // known when it has ended
};

/// The calls that have begun and not ended, so that those which take too long can be counted before they end.
///
/// A table of places, each with one call: when it began, in which epoch, and whether it has been counted. A
/// thread that counts the call does so by a compare-and-swap on its place. The thread that ends the call
/// takes it out by another compare-and-swap, and sees whether it was counted. So each call is counted once,
/// by one of the two threads.
///
/// Epochs are distinguished by their low 16 bits. A call that was in flight for exactly 65,536 epochs would
/// count in the wrong epoch.
template <class Atomics>
class calls_in_flight {
 public:
  /// Further calls are not watched. The table takes 2 KiB. Callers with more calls in flight to one
  /// dependency should have a bulkhead.
  static constexpr std::uint16_t most = 256;
  static constexpr std::uint16_t nowhere = call_start::nowhere;
  static_assert(nowhere == most);
  /// The longest time between two looks, so that a lowered limit takes effect soon.
  static constexpr duration longest_rest = std::chrono::seconds{1};

  calls_in_flight() : places_{std::make_unique<place[]>(most)} {}

  /// Puts a call into the table and returns its place, or `nowhere` if all places seem to be taken.
  /// Lock-free.
  [[nodiscard]] std::uint16_t enter(std::uint64_t epoch, duration now) noexcept {
    // Rounded up, so that no call is overdue before it is.
    const auto begun = in_us(std::chrono::ceil<std::chrono::microseconds>(now));
    const auto ours = taken | (epoch & 0xffff) << start_bits | begun;
    // The search begins at a spread-out place, so that it does not pass all calls that hang: the upper bits
    // of a product with 2^64 over the golden ratio.
    const auto mixed =
        (static_cast<std::uint64_t>(now.count()) + thread_number_for<Atomics>()) * 0x9e37'79b9'7f4a'7c15;
    const auto first = static_cast<std::uint32_t>(mixed >> 56);
    for (std::uint32_t i = 0; i < most; ++i) {
      const auto where = static_cast<std::uint16_t>((first + i) % most);
      // relaxed, here and below: the entry publishes nothing else.
      auto seen = places_[where].entry.load(std::memory_order_relaxed);
      if (seen == 0 && replace(where, seen, ours)) return where;
    }
    return nowhere;
  }

  /// Takes a call out again. Returns whether it has been counted. Lock-free.
  bool leave(std::uint16_t where) noexcept {
    if (where == nowhere) return false;
    auto seen = places_[where].entry.load(std::memory_order_relaxed);
    while (!replace(where, seen, 0)) {
    }
    return (seen & counted) != 0;
  }

  /// Whether it is time to look for overdue calls. Returns true to only one thread each time. Lock-free.
  [[nodiscard]] bool is_time_to_look(duration now, auto limit) noexcept {
    auto seen = next_look_.load(std::memory_order_relaxed);
    if (now.count() < seen) return false;
    const auto next = now + (std::min)(limit() / 8, longest_rest);
    return next_look_.compare_exchange_weak(seen, next.count(), std::memory_order_relaxed,
                                            std::memory_order_relaxed);
  }

  /// Calls `count(took)` for each of the epoch's calls that has been in flight for longer than `limit` and
  /// has not been counted.
  void count_overdue(std::uint64_t epoch, duration now, duration limit, auto count) noexcept {
    for (std::uint16_t where = 0; where < most; ++where) {
      auto seen = places_[where].entry.load(std::memory_order_relaxed);
      if ((seen & counted) != 0 || seen >> start_bits != (taken >> start_bits | (epoch & 0xffff))) continue;
      const std::chrono::microseconds took{static_cast<std::int64_t>(
          (in_us(std::chrono::floor<std::chrono::microseconds>(now)) - seen) & start_mask)};
      // The second condition: the call began after `now` was read, or it has been in flight for 407 days.
      if (took <= limit || took.count() > static_cast<std::int64_t>(start_mask / 2)) continue;
      if (replace(where, seen, seen | counted)) count(duration{took});
    }
  }

 private:
  // A place: 63 taken | 62 counted | 61..46 epoch | 45..0 when it began, us since the breaker was built; 0:
  // free.
  static constexpr std::uint64_t taken = std::uint64_t{1} << 63;
  static constexpr std::uint64_t counted = std::uint64_t{1} << 62;
  static constexpr int start_bits = 46;  // a turn takes 2.2 years
  static constexpr std::uint64_t start_mask = (std::uint64_t{1} << start_bits) - 1;

  struct place {
    // Written by the threads that begin, count and end the call; publishes nothing else.
    typename Atomics::template atomic<std::uint64_t> entry{0};
  };

  static std::uint64_t in_us(std::chrono::microseconds time) noexcept {
    return static_cast<std::uint64_t>(time.count()) & start_mask;
  }
  bool replace(std::uint16_t where, std::uint64_t& seen, std::uint64_t next) noexcept {
    return places_[where].entry.compare_exchange_weak(seen, next, std::memory_order_relaxed,
                                                      std::memory_order_relaxed);
  }

  const std::unique_ptr<place[]> places_;
  // When the next look is due, in ns since the breaker was built. Written by the thread that looks.
  typename Atomics::template atomic<std::int64_t> next_look_{0};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
