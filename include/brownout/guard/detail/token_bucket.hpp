// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/guard/detail/live_limits.hpp"
#include "brownout/guard/detail/token_limits.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A bucket of tokens in one word: the arrival time (see `token_limits`), and in the lowest bit which of two
/// sets of limits holds for it. So limits and arrival time change together.
///
/// Thread-safe and lock-free. At first the bucket is full.
///
/// `is_mine`, a parameter of some members: whether the bucket still belongs to whom it was found for. It is
/// asked after each look at the word. Once the bucket is given to another owner, its word is another one.
template <class Atomics>
class token_bucket {
 public:
  static constexpr ticks arrival_of(std::uint64_t word) noexcept { return static_cast<ticks>(word >> 1); }
  static constexpr std::uint32_t slot_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word & 1);
  }
  static constexpr std::uint64_t word_of(ticks arrival, std::uint32_t slot) noexcept {
    return static_cast<std::uint64_t>(arrival) << 1 | slot;
  }

  /// What `take_one` returns if `take` has to decide.
  static constexpr ticks unsure = -1;

  /// Takes one token at the time `at`. Returns 0, or the time until there is one if none was taken, or
  /// `unsure`.
  template <class IsMine>
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE ticks take_one(const live_limits<Atomics>& limits, ticks at,
                                                      IsMine is_mine) noexcept {
    // (1) acquire: synchronizes-with (2) and (4), so this thread sees the limits that the word names.
    auto seen = word_.load(std::memory_order_acquire);
    while (is_mine()) {
      const auto slot = slot_of(seen);
      const auto begin = (std::max)(arrival_of(seen), at);
      const auto next = begin + limits.interval(slot);
      const auto missing = next - at - limits.tolerance(slot);
      if (missing > 0) [[unlikely]] {
        if (begin - at <= limits.furthest(slot)) return missing;
        break;  // the clock was set back, `at` is old, or the rate is 0
      }
      // (2) release: a thread that sees this arrival time reads its clock after this thread has. acquire:
      // as (1), since other limits may be in force when it fails.
      if (word_.compare_exchange_weak(seen, word_of(next, slot), std::memory_order_release,
                                      std::memory_order_acquire)) [[likely]] {
        return 0;
      }
    }
    return unsure;
  }

  enum class fate : std::uint8_t { taken, refused, not_mine };
  struct taking {
    fate how = fate::refused;
    duration wait = rejection::unknown;  // before the call; of a refusal: before it is worth trying again
    std::uint64_t word = 0;
    ticks cost = 0;
  };

  /// Takes `tokens` that are there `within` this time. `now` reads the clock; it is asked if `at` may be old,
  /// and `at` is the new reading then.
  template <class Now, class IsMine>
  BROWNOUT_NOINLINE taking take(const live_limits<Atomics>& limits, ticks& at, Now now, std::uint32_t tokens,
                                duration within, IsMine is_mine) noexcept {
    BROWNOUT_PRECONDITION(tokens >= 1 && tokens <= limits.greatest_burst(),
                          "a call needs at least one token of a rate_limiter, and at most its burst");
    auto seen = word_.load(std::memory_order_acquire);  // (1)
    while (is_mine()) {
      const auto slot = slot_of(seen);
      const auto by = limits.read(slot);
      if (by.is_closed() || tokens > by.burst) return {};
      if (arrival_of(seen) - at > by.furthest) {
        seen = catch_up(seen, by.furthest, at, now);
        continue;
      }
      const auto cost = by.interval * tokens;
      const auto next = (std::max)(arrival_of(seen), at) + cost;
      const auto ahead = next - at - by.tolerance;  // until the tokens are there
      const auto allowed = within < to_duration(by.most_wait) ? to_ticks(within) : by.most_wait;
      if (ahead > allowed) return {fate::refused, to_duration(ahead - allowed)};
      const auto taken = word_of(next, slot);
      if (word_.compare_exchange_weak(seen, taken, std::memory_order_release,  // (2)
                                      std::memory_order_acquire)) {
        return {fate::taken, to_duration((std::max)(ahead, ticks{0})), taken, cost};
      }
    }
    return {fate::not_mine};
  }

  /// For a word whose arrival time lies further ahead of `at` than a debt can. Either `at` is old, or the
  /// clock was set back. A new reading tells which, because the arrival time was read before it: `at` is that
  /// reading afterwards. If the clock was set back, the longest debt counts from now on. Returns the word
  /// that is there now.
  template <class Now>
  std::uint64_t catch_up(std::uint64_t seen, ticks furthest, ticks& at, Now now) noexcept {
    at = now();
    const auto cut = word_of(at + furthest, slot_of(seen));
    if (arrival_of(seen) - at > furthest &&
        word_.compare_exchange_strong(seen, cut, std::memory_order_release, std::memory_order_acquire)) {
      return cut;  // (2)
    }
    return seen;
  }

  /// Gives back what was taken, if nothing was taken since.
  bool give_back(std::uint64_t taken, ticks cost) noexcept {
    // (3) release: as (2). relaxed: if another call came after, nothing is read.
    return word_.compare_exchange_strong(taken, word_of(arrival_of(taken) - cost, slot_of(taken)),
                                         std::memory_order_release, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t word() const noexcept { return word_.load(std::memory_order_acquire); }  // (1)
  /// Replaces the word if it is `seen`. Otherwise `seen` is what it is.
  bool replace(std::uint64_t& seen, ticks arrival, std::uint32_t slot) noexcept {
    // (4) release: publishes the limits of the slot.
    return word_.compare_exchange_strong(seen, word_of(arrival, slot), std::memory_order_release,
                                         std::memory_order_acquire);
  }

 private:
  // Written by each admission (2), reservation and give-back (3), and by a change of the limits or of the
  // owner (4). Publishes the limits.
  alignas(8) typename Atomics::template atomic<std::uint64_t> word_{0};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
