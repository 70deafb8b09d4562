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

/// Exactly the latest `size` calls of one epoch, a bit each.
///
/// **Layout.** The bits stand in pages of 27, numbered one after another, in a ring of as many words as the
/// window can reach into. A page's word says which number it has and how many of its bits are taken. The
/// cursor says which page is being written, and for which epoch. To record a call is to append a bit to that
/// page, by one compare-and-swap. A full page is never written again until a later page takes its word.
///
/// **A later epoch** moves the cursor by one more than the whole ring. Every page number that a reader of the
/// new epoch could then look for is one that no page has had, so nothing has to be erased.
///
/// **A sleeper does no harm.** Its compare-and-swap succeeds only on the word that it read, which is the same
/// page with the same calls in it. If that page is still the cursor's, the call is in time. If it is not, a
/// later epoch has begun (the cursor leaves a page of its own epoch only when it is full, and a full page
/// takes no call), and the call is where no reader looks: as if it had been recorded just before that epoch.
///
/// **Page numbers may wrap.** Every move of the cursor, to the next page or the next epoch, goes to the next
/// word of the ring (a power of two), so that no word keeps a number for much longer than once around. A
/// sleeper is in danger only when it sleeps over exactly 2^32 page numbers, at least 66 million epochs or
/// 10^11 calls, and then finds its word again, bit by bit.
///
/// Epochs are told apart by their low 32 bits.
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

  /// Enters one call and reads the window; the first call of a later epoch empties it. When the window
  /// already belongs to a later epoch than `epoch`, the reading is empty and nothing has changed.
  ///
  /// The reading counts for certain only when the call was `bad`. For a good call it is usually just empty,
  /// because counting means to look at every page; only the good call that fills its page looks, and so a
  /// settled window shows up to 26 calls late.
  ///
  /// Lock-free: one compare-and-swap, one more for a new page or epoch, and again what others interfere with.
  window_counts record(std::uint64_t epoch, bool bad, duration /*now*/) noexcept {
    const auto own = static_cast<std::uint32_t>(epoch);
    for (;;) {
      // (1) acquire: synchronizes-with (2), so that the pages before this one are seen as they were filled.
      const auto at = cursor_.load(std::memory_order_acquire);
      const auto number = page_of(at);
      auto& here = word_of(number);
      // (3) acquire: synchronizes-with (4), so whoever sees a page that is newer than its cursor finds a
      // newer cursor too.
      auto seen = here.load(std::memory_order_acquire);
      if (epoch_of(at) != own || !has_room(seen, number)) [[unlikely]] {
        if (!make_room(own, at, seen)) return {};
        continue;
      }
      const auto after = appended(number_of(seen) == number ? seen : empty_page(number), bad);
      // (4) release: publishes the cursor (1) that led here. Failure is relaxed: all is looked at again.
      if (here.compare_exchange_weak(seen, after, std::memory_order_release, std::memory_order_relaxed)) {
        return bad || fill_of(after) == page_size ? read_from(own, after) : window_counts{};
      }
    }
  }

  /// The window as seen in `epoch`: empty unless its calls belong to that epoch. Exact as of a moment during
  /// this call. Lock-free: looks again only when others have meanwhile gone once around the ring.
  [[nodiscard]] window_counts read(std::uint64_t epoch, duration /*now*/) const noexcept {
    return latest(static_cast<std::uint32_t>(epoch));
  }

 private:
  // A page: 63..32 number | 31..27 calls in it | 26..0 a bit a call, set if it was bad, the latest in bit 0.
  static constexpr std::uint32_t page_size = 27;
  static constexpr std::uint32_t bits_mask = (1U << page_size) - 1;

  struct place {
    // Written by whoever records (4); publishes the calls in it, and with them the cursor that it stands at.
    // At first the empty page 0, which no reader looks for: the cursor starts as if an epoch had been before.
    typename Atomics::template atomic<std::uint64_t> held{0};
  };

  /// The page that is being written, and those that the rest of the window can lie in.
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

  // Out of line, as below: what is seldom needed should not take registers from every call.

  /// Sees to it that a call of the epoch finds room where the cursor is next time; `seen`: its page. False
  /// when a later epoch has begun.
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
    // (2) release: publishes the full page (3) that it leaves. Failure is relaxed, and needs no second try:
    // then another thread has moved it.
    cursor_.compare_exchange_weak(from, to, std::memory_order_release, std::memory_order_relaxed);
  }

  [[nodiscard]] auto& word_of(std::uint32_t number) const noexcept {
    return ring_[number & (pages_ - 1)].held;
  }

  /// The window from `page` on backwards, or what it holds now when others have gone once around the ring.
  [[nodiscard]] BROWNOUT_NOINLINE window_counts read_from(std::uint32_t own,
                                                          std::uint64_t page) const noexcept {
    const auto counts = counted(number_of(page), page);
    return counts ? *counts : latest(own);
  }

  /// What the window holds now.
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

  /// The latest `size_` calls before and in the page `newest`, which holds `page`. Nothing when a page on the
  /// way has meanwhile been overwritten.
  [[nodiscard]] std::optional<window_counts> counted(std::uint32_t newest,
                                                     std::uint64_t page) const noexcept {
    window_counts sum;
    for (auto number = newest;;) {
      if (is_later(number_of(page), number)) return std::nullopt;
      if (number_of(page) == number) {
        // fill_of() also of an older page, which is full: so that a wrong one could not count what it has
        // not.
        const auto taken = (std::min)(fill_of(page), size_ - sum.calls);
        sum.calls += taken;
        const auto bits = static_cast<std::uint32_t>(page) & bits_mask & ((1U << taken) - 1);
        // Most pages have none, and not every processor that code is compiled for counts bits.
        if (bits != 0) sum.bad += static_cast<std::uint32_t>(std::popcount(bits));
      } else if (number != newest) {
        break;  // the epoch began with the page after this one; the newest may just not have been begun
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
  // Epoch in the upper half, page in the lower. Written by whoever finds the page full or brings a later
  // epoch (2); publishes that all pages before it are full.
  typename Atomics::template atomic<std::uint64_t> cursor_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
