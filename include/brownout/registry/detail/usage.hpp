// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Who uses an object, in one word: how many refer to it, and the turn in which it was last looked up.
///
/// With no referrer the object does not exist, and nobody can come to refer to it; so a look-up may try on
/// whatever stands in the place where it expects the object. Lock-free.
///
/// A turn has 40 bits: 12 days at a million turns a second. After that, for once, older looks newer.
class usage {
 public:
  static constexpr std::uint64_t most_referrers = (std::uint64_t{1} << 24) - 1;

  /// The object exists from now on.
  void begin(std::uint64_t turn, std::uint64_t referrers) noexcept {
    // (1) release: publishes the object.
    word_.store(turn << count_bits | referrers, std::memory_order_release);
  }

  /// Refers to the object for a look-up in `turn`, or in none (0). False when there is none, or too many do.
  [[nodiscard]] bool try_refer(std::uint64_t turn) noexcept {
    // relaxed: whatever it is, (2) finds out.
    auto seen = word_.load(std::memory_order_relaxed);
    do {
      if (count_of(seen) == 0 || count_of(seen) == most_referrers) return false;
      // (2) acquire: synchronizes-with (1), so the object is seen as built.
    } while (!word_.compare_exchange_weak(
        seen, (std::max)(turn, turn_of(seen)) << count_bits | (count_of(seen) + 1), std::memory_order_acquire,
        std::memory_order_relaxed));
    return true;
  }

  /// Refers once more. Precondition: the caller does already, and fewer than `most_referrers` do.
  void refer() noexcept {
    // relaxed: the caller sees the object, and keeps it.
    const auto before = word_.fetch_add(1, std::memory_order_relaxed);
    BROWNOUT_PRECONDITION(count_of(before) < most_referrers, "a breaker has 16,777,215 handles at most");
  }

  /// Refers no longer. True for the last: then the caller ends the object.
  [[nodiscard]] bool release() noexcept {
    // (3) release: what was done with the object comes before its end. acquire: with (3), as the last one.
    return count_of(word_.fetch_sub(1, std::memory_order_acq_rel)) == 1;
  }

  /// Takes the object from the only one who refers to it, for whom the caller acts. False when others do.
  [[nodiscard]] bool claim() noexcept {
    auto seen = word_.load(std::memory_order_relaxed);  // (4) decides
    // (4) acquire: synchronizes-with (3), so what earlier referrers did is seen.
    return count_of(seen) == 1 && word_.compare_exchange_strong(seen, seen - 1, std::memory_order_acquire,
                                                                std::memory_order_relaxed);
  }

  /// Gives back what was claimed.
  void unclaim() noexcept { word_.fetch_add(1, std::memory_order_release); }  // (1), since it exists again

  // Both a moment ago.
  [[nodiscard]] bool was_referred_to_once() const noexcept {
    return count_of(word_.load(std::memory_order_relaxed)) == 1;
  }
  [[nodiscard]] std::uint64_t last_turn() const noexcept {
    return turn_of(word_.load(std::memory_order_relaxed));
  }

 private:
  static constexpr int count_bits = 24;
  static constexpr std::uint64_t count_of(std::uint64_t word) noexcept { return word & most_referrers; }
  static constexpr std::uint64_t turn_of(std::uint64_t word) noexcept { return word >> count_bits; }

  // Written by whoever builds the object (1), refers to it (2), does so no longer (3), or evicts it (4).
  std::atomic<std::uint64_t> word_{0};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
