// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/thread_number.hpp"
#include "brownout/detector/detail/window_counts.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <thread>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The calls of one epoch in the latest ten tenths of a length of time.
///
/// **Layout.** Time is cut into buckets of a tenth, numbered one after another. A cell counts the calls of
/// one bucket and holds the number of the bucket. Few threads share a cell: threads are spread over four
/// stripes for each processor, up to 16 stripes. Each stripe has its own cells, and a reader adds the stripes
/// up. A stripe has 16 cells, so that numbers may wrap; ten of them are in the window. To record a call, a
/// thread does one compare-and-swap on one cell, and never an addition. So a thread that slept cannot add to
/// a later bucket.
///
/// **A later epoch** first marks every cell as emptied for it and only then announces itself. From then on no
/// call of an older epoch can get in. A thread that had read its cell before finds the cell changed. A thread
/// that reads the cell afterwards finds the mark, or it finds calls of the new epoch and then sees that this
/// epoch has been announced. The mark names its epoch, and bucket numbers of neighbouring epochs are far
/// apart. So a cell never has the same content again for a thread that slept.
///
/// Bucket numbers alone, moved on by more than the window at each epoch, could not separate old calls from
/// new calls. The epoch begins at the `now` of the first thread that records in it. This thread may have
/// slept since it read its clock. Calls of the old epoch may have come meanwhile with a later time, and their
/// buckets would be in the window of the new epoch.
///
/// **Numbers wrap** after 2^32 buckets: 136 years with the default length, 497 days with the shortest. If no
/// thread of a stripe recorded anything for exactly that long in one epoch, the last calls of the stripe
/// would count once more. A thread that sleeps could be misled by the numbers of another epoch, k epochs
/// away, only if it slept for about 2^31 / k buckets and then found the same content in its cell.
///
/// Epochs are distinguished by their low 32 bits.
template <class Atomics>
class time_history {
 public:
  /// Allocates the stripes, 128 bytes each. The window's options must be valid. The length is rounded down to
  /// a multiple of 10 ns.
  explicit time_history(const auto& window)
      : bucket_{window.length / buckets},
        stripes_{std::clamp(std::bit_ceil(4 * std::thread::hardware_concurrency()), 1U, most_stripes)},
        cells_{std::make_unique<stripe[]>(stripes_)} {}
  time_history(const time_history&) = delete;
  time_history& operator=(const time_history&) = delete;

  /// Records one call that ended at `now` and reads the window. The first call of a later epoch empties the
  /// window. If the window already belongs to a later epoch than `epoch`, the reading is empty and nothing
  /// changes.
  ///
  /// The reading is valid only if the call was `bad`. For a good call it is empty, because to count means to
  /// look at every cell. The reading is for the time `now`: calls in later buckets do not count yet.
  ///
  /// If `now` of a caller is more than 6 buckets behind other callers, it sees only the rest of its window.
  /// If it is more than 15 buckets behind, its call counts as if it had ended at the same time as the latest
  /// call.
  ///
  /// Lock-free: one compare-and-swap, repeated if other threads interfere. The first call of an epoch does
  /// one compare-and-swap for each cell. Inlined, because saving registers for a function call would take a
  /// third of the time of the work.
  BROWNOUT_ALWAYS_INLINE window_counts record(std::uint64_t epoch, bool bad, duration now) noexcept {
    const auto own = static_cast<std::uint32_t>(epoch);
    // (1) acquire: synchronizes-with (2), so that this thread does not see the content of a cell before it
    // was emptied.
    if (epoch_.load(std::memory_order_acquire) != own && !enter(own)) [[unlikely]]
      return {};
    auto number = number_at(own, now);
    auto& cells = cells_[thread_number_for<Atomics>() & (stripes_ - 1)].cells;
    for (;;) {
      auto& here = cells[number % cells_in_stripe].held;
      // (3) acquire: synchronizes-with (4), so a thread that sees calls of a later epoch also sees that this
      // epoch has begun.
      auto seen = here.load(std::memory_order_acquire);
      if (!is_current(own) || is_emptied_for_later(seen, own)) return {};
      // Only calls of this epoch are in the cell. If they are later than this call by a turn of the cells,
      // the bucket of this call is gone.
      if (is_ahead(seen, number)) number = number_of(seen);
      const auto next = holds(seen, number) ? with_one_more(seen, bad) : packed(number, 1, bad ? 1 : 0);
      // (4) release: publishes the epoch (1) that the calls belong to. Failure is relaxed: the loop reads
      // everything again.
      if (here.compare_exchange_weak(seen, next, std::memory_order_release, std::memory_order_relaxed)) break;
    }
    return bad ? reading(own, number) : window_counts{};
  }

  /// The window as seen in `epoch` at `now`: empty unless its calls belong to that epoch. Wait-free.
  [[nodiscard]] window_counts read(std::uint64_t epoch, duration now) const noexcept {
    const auto own = static_cast<std::uint32_t>(epoch);
    // (1), as in record().
    if (epoch_.load(std::memory_order_acquire) != own) return {};
    return reading(own, number_at(own, now));
  }

 private:
  // A cell: 63..32 number | 31..16 calls | 15..0 bad ones. In a cell without calls, the number is the epoch
  // for which the cell was emptied.
  static constexpr std::uint32_t buckets = 10;
  static constexpr std::uint32_t cells_in_stripe = 16;
  static constexpr std::uint32_t most_stripes = 16;
  static constexpr std::uint32_t full = 0xffff;
  // A cell that was not used for almost a turn of the numbers would seem to be ahead. With this limit it
  // seems so for at most 2^16 buckets. A thread that sleeps longer than the limit overwrites a later bucket
  // with its own.
  static constexpr std::uint32_t most_ahead = 1U << 16;
  // 2^32 over the golden ratio: the step that keeps the numbers of neighbouring epochs farthest apart.
  static constexpr std::uint32_t epoch_step = 0x9e37'79b9;

  struct cell {
    // Written by a thread that records in the stripe (4) or begins a later epoch (5). Publishes the calls,
    // and with them their epoch.
    typename Atomics::template atomic<std::uint64_t> held{0};
  };
  struct alignas(64) stripe {
    cell cells[cells_in_stripe];
  };

  static constexpr std::uint64_t packed(std::uint32_t number, std::uint32_t calls,
                                        std::uint32_t bad) noexcept {
    return std::uint64_t{number} << 32 | calls << 16 | bad;
  }
  static constexpr std::uint32_t number_of(std::uint64_t counts) noexcept {
    return static_cast<std::uint32_t>(counts >> 32);
  }
  static constexpr std::uint32_t calls_of(std::uint64_t counts) noexcept {
    return static_cast<std::uint32_t>(counts) >> 16;
  }
  static constexpr std::uint32_t bad_of(std::uint64_t counts) noexcept { return counts & 0xffff; }

  static constexpr bool holds(std::uint64_t counts, std::uint32_t number) noexcept {
    return calls_of(counts) != 0 && number_of(counts) == number;
  }
  static constexpr bool is_ahead(std::uint64_t counts, std::uint32_t number) noexcept {
    return calls_of(counts) != 0 && number_of(counts) - number - 1 < most_ahead;
  }
  static constexpr bool is_emptied_for_later(std::uint64_t counts, std::uint32_t epoch) noexcept {
    return calls_of(counts) == 0 && is_later(number_of(counts), epoch);
  }
  /// When a cell is about to overflow, both counts are halved first. The share of bad calls stays, and later
  /// calls have more weight than earlier ones.
  static constexpr std::uint64_t with_one_more(std::uint64_t counts, bool bad) noexcept {
    const int halved = calls_of(counts) + 1 == full ? 1 : 0;
    return packed(number_of(counts), (calls_of(counts) >> halved) + 1,
                  (bad_of(counts) >> halved) + (bad ? 1 : 0));
  }

  [[nodiscard]] std::uint32_t number_at(std::uint32_t epoch, duration now) const noexcept {
    return static_cast<std::uint32_t>(bucket_at(now)) + epoch * epoch_step;
  }
  /// now / bucket_, nearly always without the division, which takes longer than recording the call.
  [[nodiscard]] std::int64_t bucket_at(duration now) const noexcept {
    // relaxed: a guess that is checked below.
    auto bucket = recent_bucket_.load(std::memory_order_relaxed);
    const auto into = now - bucket_ * bucket;
    if (into < duration::zero() || into >= bucket_) [[unlikely]] {
      bucket = now / bucket_;
      recent_bucket_.store(bucket, std::memory_order_relaxed);
    }
    return bucket;
  }
  /// Must be called after a cell was loaded (3). Relaxed: the thread that wrote the cell had seen its own
  /// epoch, so after (3) no older epoch is seen here.
  [[nodiscard]] bool is_current(std::uint32_t epoch) const noexcept {
    return epoch_.load(std::memory_order_relaxed) == epoch;
  }

  /// Makes `own` the epoch of the window. False if the window has a later epoch.
  [[nodiscard]] BROWNOUT_NOINLINE bool enter(std::uint32_t own) noexcept {
    for (;;) {
      auto current = epoch_.load(std::memory_order_acquire);  // (1)
      if (current == own) return true;
      if (is_later(current, own)) return false;
      if (!empty_cells(current, own)) continue;
      // (2) release: publishes that all cells are emptied. Failure is relaxed: the loop reads everything
      // again.
      epoch_.compare_exchange_weak(current, own, std::memory_order_release, std::memory_order_relaxed);
    }
  }

  /// Empties all cells for the epoch `own`. False if `current` is over, because then the calls in a cell may
  /// already belong to `own`.
  [[nodiscard]] bool empty_cells(std::uint32_t current, std::uint32_t own) noexcept {
    for (std::uint32_t i = 0; i < stripes_ * cells_in_stripe; ++i) {
      auto& here = cells_[i / cells_in_stripe].cells[i % cells_in_stripe].held;
      for (;;) {
        auto seen = here.load(std::memory_order_acquire);  // (3)
        if (!is_current(current)) return false;
        if (calls_of(seen) == 0 && !is_later(own, number_of(seen))) break;
        // (5) relaxed: (2) publishes the mark, no matter which thread made it.
        if (here.compare_exchange_weak(seen, packed(own, 0, 0), std::memory_order_relaxed,
                                       std::memory_order_relaxed)) {
          break;
        }
      }
    }
    return true;
  }

  /// The ten buckets up to `newest`. Empty if a later epoch has begun.
  [[nodiscard]] BROWNOUT_NOINLINE window_counts reading(std::uint32_t own,
                                                        std::uint32_t newest) const noexcept {
    window_counts sum;
    for (std::uint32_t i = 0; i < stripes_ * buckets; ++i) {
      const auto number = newest - i % buckets;
      const auto& here = cells_[i / buckets].cells[number % cells_in_stripe].held;
      const auto seen = here.load(std::memory_order_acquire);  // (3)
      if (is_emptied_for_later(seen, own)) return {};
      if (!holds(seen, number)) continue;
      sum.calls += calls_of(seen);
      sum.bad += bad_of(seen);
    }
    return is_current(own) ? sum : window_counts{};
  }

  const duration bucket_;
  const std::uint32_t stripes_;  // a power of two
  const std::unique_ptr<stripe[]> cells_;
  // Written by the first call of an epoch (2); publishes that all cells are emptied for it.
  typename Atomics::template atomic<std::uint32_t> epoch_{0};
  // Written by the first thread that finds itself in another bucket; publishes nothing.
  mutable typename Atomics::template atomic<std::int64_t> recent_bucket_{0};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
