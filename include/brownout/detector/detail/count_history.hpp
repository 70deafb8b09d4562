// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/detector/detail/window_counts.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Exactly the latest `size` calls of one epoch, one bit for each call.
///
/// **Layout.** The bits are in pages of 27 bits with consecutive numbers, in a ring of words that is large
/// enough for the window. The word of a page holds the number of the page and how many of its bits are taken.
/// The cursor holds the number of the page that is being written, and the epoch. To record a call, a thread
/// appends a bit to that page by one compare-and-swap. A full page is not written again until a later page
/// takes its word.
///
/// **A later epoch** moves the cursor by one more than the whole ring. A reader of the new epoch then only
/// looks for page numbers that no page has had, so nothing has to be erased.
///
/// **A thread that sleeps does no harm.** Its compare-and-swap succeeds only on the word that it read, which
/// is the same page with the same calls in it. If the cursor is still at that page, the call is in time. If
/// not, a later epoch has begun, because within an epoch the cursor leaves a page only when the page is full,
/// and a full page takes no call. Then the call is where no reader looks, as if it had been recorded just
/// before that epoch.
///
/// **Page numbers may wrap.** Every move of the cursor, to the next page or the next epoch, goes to the next
/// word of the ring (a power of two), so that no word keeps a number for much longer than one turn of the
/// ring. A thread can do harm only if it sleeps through exactly 2^32 page numbers, which is at least 66
/// million epochs or 10^11 calls, and then finds the same bits in its word.
///
/// Epochs are distinguished by their low 32 bits.
template <class Atomics>
class count_history {
 public:
  /// Allocates the ring, 8 bytes for 27 calls. The window's options must be valid.
  explicit count_history(const auto& window)
      : size_{window.size},
        pages_{pages_for(window.size)},
        ring_{std::make_unique<place[]>(pages_)},
        cursor_{packed(0, pages_ + 1)} {}
  count_history(const count_history&) = delete;
  count_history& operator=(const count_history&) = delete;

  /// Records one call and reads the window. The first call of a later epoch empties the window. If the window
  /// already belongs to a later epoch than `epoch`, the reading is empty and nothing changes.
  ///
  /// The reading is always valid if the call was `bad`. For a good call it is usually empty, because to count
  /// means to look at every page. Only a good call that fills its page counts. So a window is seen to be
  /// settled up to 26 calls late.
  ///
  /// Lock-free: one compare-and-swap, and one more for a new page or epoch. A step is repeated if other
  /// threads interfere.
  window_counts record(std::uint64_t epoch, bool bad, duration /*now*/) noexcept {
    const auto own = static_cast<std::uint32_t>(epoch);
    for (;;) {
      // (1) acquire: synchronizes-with (2), so that this thread sees the content of the pages before this
      // one.
      const auto at = cursor_.load(std::memory_order_acquire);
      const auto number = page_of(at);
      auto& here = word_of(number);
      // (3) acquire: synchronizes-with (4), so a thread that sees a page newer than its cursor also finds a
      // newer cursor.
      auto seen = here.load(std::memory_order_acquire);
      if (epoch_of(at) != own || !has_room(seen, number)) [[unlikely]] {
        if (!make_room(own, at, seen)) return {};
        continue;
      }
      const auto after = appended(number_of(seen) == number ? seen : empty_page(number), bad);
      // (4) release: publishes the cursor (1) that led here. Failure is relaxed: the loop reads everything
      // again.
      if (here.compare_exchange_weak(seen, after, std::memory_order_release, std::memory_order_relaxed)) {
        return bad || fill_of(after) == page_size ? read_from(own, after) : window_counts{};
      }
    }
  }

  /// The window as seen in `epoch`: empty unless its calls belong to that epoch. It is exact for one moment
  /// during this call. Lock-free: reads again only if other threads have gone once around the ring meanwhile.
  [[nodiscard]] window_counts read(std::uint64_t epoch, duration /*now*/) const noexcept {
    return latest(static_cast<std::uint32_t>(epoch));
  }

 private:
  // A page: 63..32 number | 31..27 calls in it | 26..0 one bit for each call, set if it was bad, the latest
  // in bit 0.
  static constexpr std::uint32_t page_size = 27;
  static constexpr std::uint32_t bits_mask = (1U << page_size) - 1;

  struct place {
    // Written by the threads that record (4). Publishes the calls in it, and with them the cursor at this
    // page. The first content is the empty page 0. No reader looks for it, because the cursor starts as if
    // there had been an epoch before.
    typename Atomics::template atomic<std::uint64_t> held{0};
  };

  /// The page that is being written, and the pages that can hold the rest of the window.
  static constexpr std::uint32_t pages_for(std::uint32_t size) noexcept {
    return std::bit_ceil((size + page_size - 2) / page_size + 1);
  }
  static constexpr std::uint64_t packed(std::uint32_t upper, std::uint32_t lower) noexcept {
    return std::uint64_t{upper} << 32 | lower;
  }
  static constexpr std::uint32_t epoch_of(std::uint64_t cursor) noexcept {
    return static_cast<std::uint32_t>(cursor >> 32);
  }
  static constexpr std::uint32_t page_of(std::uint64_t cursor) noexcept {
    return static_cast<std::uint32_t>(cursor);
  }
  static constexpr std::uint32_t number_of(std::uint64_t page) noexcept {
    return static_cast<std::uint32_t>(page >> 32);
  }
  static constexpr std::uint32_t fill_of(std::uint64_t page) noexcept {
    return static_cast<std::uint32_t>(page) >> page_size;
  }
  static constexpr std::uint64_t empty_page(std::uint32_t number) noexcept { return packed(number, 0); }
  static constexpr std::uint64_t appended(std::uint64_t page, bool bad) noexcept {
    const auto bits = (static_cast<std::uint32_t>(page) << 1 | (bad ? 1U : 0U)) & bits_mask;
    return packed(number_of(page), (fill_of(page) + 1) << page_size | bits);
  }

  static constexpr bool has_room(std::uint64_t page, std::uint32_t number) noexcept {
    return number_of(page) == number ? fill_of(page) < page_size : !is_later(number_of(page), number);
  }

  // Not inlined, as below: code that is seldom needed should not take registers from every call.

  /// Makes room for a call of the epoch at the next position of the cursor. `seen`: the page at the cursor.
  /// False if a later epoch has begun.
  [[nodiscard]] BROWNOUT_NOINLINE bool make_room(std::uint32_t own, std::uint64_t at,
                                                 std::uint64_t seen) noexcept {
    const auto number = page_of(at);
    if (epoch_of(at) != own) {
      if (is_later(epoch_of(at), own)) return false;
      move_cursor(at, packed(own, number + pages_ + 1));
    } else if (number_of(seen) == number) {
      move_cursor(at, packed(own, number + 1));
    }
    return true;
  }

  void move_cursor(std::uint64_t from, std::uint64_t to) noexcept {
    // (2) release: publishes the full page (3) that it leaves. Failure is relaxed and needs no second try:
    // another thread has moved the cursor.
    cursor_.compare_exchange_weak(from, to, std::memory_order_release, std::memory_order_relaxed);
  }

  [[nodiscard]] auto& word_of(std::uint32_t number) const noexcept {
    return ring_[number & (pages_ - 1)].held;
  }

  /// The window from `page` backwards. If other threads have gone once around the ring, the present window.
  [[nodiscard]] BROWNOUT_NOINLINE window_counts read_from(std::uint32_t own,
                                                          std::uint64_t page) const noexcept {
    const auto counts = counted(number_of(page), page);
    return counts ? *counts : latest(own);
  }

  /// The present content of the window.
  [[nodiscard]] window_counts latest(std::uint32_t own) const noexcept {
    for (;;) {
      // (1) and (3), as in record().
      const auto at = cursor_.load(std::memory_order_acquire);
      if (epoch_of(at) != own) return {};
      const auto number = page_of(at);
      const auto counts = counted(number, word_of(number).load(std::memory_order_acquire));
      if (counts) return *counts;
    }
  }

  /// The latest `size_` calls before and in the page `newest`, which holds `page`. Empty if a page on the way
  /// has been overwritten meanwhile.
  [[nodiscard]] std::optional<window_counts> counted(std::uint32_t newest,
                                                     std::uint64_t page) const noexcept {
    window_counts sum;
    for (auto number = newest;;) {
      if (is_later(number_of(page), number)) return std::nullopt;
      if (number_of(page) == number) {
        // fill_of() is used for older pages too, although they are full. So a wrong page could not count
        // calls that it does not hold.
        const auto taken = (std::min)(fill_of(page), size_ - sum.calls);
        sum.calls += taken;
        const auto bits = static_cast<std::uint32_t>(page) & bits_mask & ((1U << taken) - 1);
        // Most pages have no bad call, and not every target processor has an instruction that counts bits.
        if (bits != 0) sum.bad += static_cast<std::uint32_t>(std::popcount(bits));
      } else if (number != newest) {
        break;  // the epoch began with the next page; the newest page may not have been begun yet
      }
      if (sum.calls == size_) break;
      --number;
      page = word_of(number).load(std::memory_order_acquire);  // (3)
    }
    return sum;
  }

  const std::uint32_t size_;
  const std::uint32_t pages_;  // a power of two
  const std::unique_ptr<place[]> ring_;
  // Epoch in the upper half, page in the lower half. Written by a thread that finds the page full or begins a
  // later epoch (2). Publishes that all pages before it are full.
  typename Atomics::template atomic<std::uint64_t> cursor_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
