// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/detector/detail/window_counts.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <memory>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The most failures that a reading can be asked for.
inline constexpr std::uint32_t most_failure_times = 64;

/// When the latest failures of one epoch ended.
///
/// **Layout.** A ring of words. Each word holds the time of one failure and that failure's number. The cursor
/// holds the number of the next failure, and the epoch. To record a failure, a thread does one
/// compare-and-swap on the word of that number. Then any thread moves the cursor on. So a number is taken
/// only after all numbers before it are written, and a reader never finds a gap.
///
/// **A later epoch** moves the cursor by one more than the whole ring. A reader of the new epoch then only
/// looks for numbers that no word has, so nothing has to be erased.
///
/// **A thread that sleeps does no harm.** Its compare-and-swap succeeds only on the word that it read: then
/// no other thread has taken its number. If a later epoch has begun meanwhile, the failure has a number that
/// no reader of that epoch looks for.
///
/// **Numbers may wrap.** A word keeps the low 18 bits of its number. Each move of the cursor goes to the next
/// word of the ring, of at most 128, and by at most 129 numbers. So a word is 16,512 numbers old at most when
/// it is overwritten. (A thread that sleeps between beginning an epoch and recording in it leaves its word
/// alone for one more turn. Seven such turns in a row would be needed to mistake a word.)
///
/// **Times may wrap.** 46 bits of microseconds last 2.2 years. A failure that is exactly that old, and still
/// among the latest ones of its epoch, counts as new.
template <class Atomics>
class failure_times {
 public:
  /// The highest `latest` below.
  static constexpr std::uint32_t most = most_failure_times;

  /// Makes room to read the `latest` failures. Allocates the ring, 16 to 32 bytes for each failure.
  explicit failure_times(std::uint32_t latest)
      : places_{2 * std::bit_ceil(latest)},
        ring_{std::make_unique<place[]>(places_)},
        cursor_{packed(0, places_ + 1)} {}
  failure_times(const failure_times&) = delete;
  failure_times& operator=(const failure_times&) = delete;

  /// Records a failure that ended at `now`. Returns how many failures of the epoch, this one included, ended
  /// less than `period` before `now`. The first failure of a later epoch empties the ring. If the ring
  /// already belongs to a later epoch, it returns 0 and changes nothing.
  ///
  /// Failures that come while this thread sleeps may overwrite failures that it would count. This needs as
  /// many new failures as the ring was built for, and each of these is counted by its own thread.
  ///
  /// Lock-free: two compare-and-swaps, and one more for a new epoch. A step is repeated if other threads
  /// interfere.
  std::uint32_t record(std::uint64_t epoch, duration now, duration period) noexcept {
    const auto own = static_cast<std::uint32_t>(epoch);
    for (;;) {
      // (1) acquire: synchronizes-with (2), so that this thread sees the content of the words before this
      // number.
      const auto at = cursor_.load(std::memory_order_acquire);
      const auto number = number_of(at);
      if (epoch_of(at) != own) {
        if (is_later(epoch_of(at), own)) return 0;
        move_cursor(at, packed(own, number + places_ + 1));
        continue;
      }
      auto& here = word_of(number);
      // (3) acquire: synchronizes-with (4), so a thread that sees a number ahead of its cursor also finds a
      // newer cursor.
      auto seen = here.load(std::memory_order_acquire);
      const bool taken = holds(seen, number);
      // (4) release: publishes the cursor (1) that led here. Failure is relaxed: the loop reads everything
      // again.
      const bool entered = !taken && !is_ahead(seen, number) &&
                           here.compare_exchange_weak(seen, entry(number, now), std::memory_order_release,
                                                      std::memory_order_relaxed);
      if (taken || entered) move_cursor(at, packed(own, number + 1));
      if (entered) return counted(number, now, period);
    }
  }

  /// How many of the latest failures of `epoch` ended less than `period` before `now`, as far as the ring
  /// goes back. 0 unless the ring belongs to that epoch. Wait-free. A reading that is overtaken by other
  /// threads counts fewer.
  [[nodiscard]] std::uint32_t read(std::uint64_t epoch, duration now, duration period) const noexcept {
    const auto at = cursor_.load(std::memory_order_acquire);  // (1)
    if (epoch_of(at) != static_cast<std::uint32_t>(epoch)) return 0;
    const auto number = number_of(at);
    const bool taken = holds(word_of(number).load(std::memory_order_acquire), number);  // (3)
    return counted(taken ? number : number - 1, now, period);
  }

 private:
  // A word: 63..46 low bits of the number | 45..0 time in microseconds.
  static constexpr int time_bits = 46;
  static constexpr std::uint64_t time_mask = (std::uint64_t{1} << time_bits) - 1;
  static constexpr std::uint32_t number_bits = 64 - time_bits;
  static constexpr std::uint32_t number_mask = (1U << number_bits) - 1;

  struct place {
    // Written by a thread that records a failure (4). Publishes its time, and with it the cursor that led
    // there. The first content is number 0. No reader looks for it, because the cursor starts as if there had
    // been an epoch before.
    typename Atomics::template atomic<std::uint64_t> held{0};
  };

  static constexpr std::uint64_t packed(std::uint32_t epoch, std::uint32_t number) noexcept {
    return std::uint64_t{epoch} << 32 | number;
  }
  static constexpr std::uint32_t epoch_of(std::uint64_t cursor) noexcept {
    return static_cast<std::uint32_t>(cursor >> 32);
  }
  static constexpr std::uint32_t number_of(std::uint64_t cursor) noexcept {
    return static_cast<std::uint32_t>(cursor);
  }

  static constexpr std::uint64_t microseconds(duration time) noexcept {
    return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::microseconds>(time).count());
  }
  static constexpr std::uint64_t entry(std::uint32_t number, duration now) noexcept {
    return std::uint64_t{number} << time_bits | (microseconds(now) & time_mask);
  }
  /// How far the word's number is ahead of `number`, modulo 2^18.
  static constexpr std::uint32_t distance(std::uint64_t word, std::uint32_t number) noexcept {
    return (static_cast<std::uint32_t>(word >> time_bits) - number) & number_mask;
  }
  static constexpr bool holds(std::uint64_t word, std::uint32_t number) noexcept {
    return distance(word, number) == 0;
  }
  static constexpr bool is_ahead(std::uint64_t word, std::uint32_t number) noexcept {
    const auto ahead = distance(word, number);
    return ahead != 0 && ahead <= number_mask / 2;
  }
  /// How long ago the failure ended. Zero if it ended after `now`.
  static constexpr duration age(std::uint64_t word, duration now) noexcept {
    const auto passed = (microseconds(now) - word) & time_mask;
    if (passed > time_mask / 2) return duration::zero();
    return std::chrono::microseconds{static_cast<std::int64_t>(passed)};
  }

  void move_cursor(std::uint64_t from, std::uint64_t to) noexcept {
    // (2) release: publishes the word (3, 4) that it leaves. Failure is relaxed and needs no second try:
    // another thread has moved the cursor, or the next one will.
    cursor_.compare_exchange_weak(from, to, std::memory_order_release, std::memory_order_relaxed);
  }
  [[nodiscard]] auto& word_of(std::uint32_t number) const noexcept {
    return ring_[number & (places_ - 1)].held;
  }

  /// How many failures up to `newest` are in the period. A word with another number belongs to an earlier
  /// epoch, or has been overwritten.
  [[nodiscard]] BROWNOUT_NOINLINE std::uint32_t counted(std::uint32_t newest, duration now,
                                                        duration period) const noexcept {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < places_; ++i) {
      const auto seen = word_of(newest - i).load(std::memory_order_acquire);  // (3)
      if (!holds(seen, newest - i)) break;
      if (age(seen, now) < period) ++count;
    }
    return count;
  }

  const std::uint32_t places_;  // a power of two
  const std::unique_ptr<place[]> ring_;
  // Epoch in the upper half, number in the lower half. Written by a thread that records a failure or finds it
  // recorded (2). Publishes that all numbers before it are written.
  typename Atomics::template atomic<std::uint64_t> cursor_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
