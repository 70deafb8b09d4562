// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Who uses an object, in one word: how many refer to it, and when it was last looked up.
///
/// An object without a referrer does not exist, and cannot get a referrer. So a look-up may try any place
/// where it expects an object. Lock-free.
///
/// Time is counted in ticks, the registry's logical time. A tick has 40 bits: 12 days at a million ticks a
/// second. Then the count begins again, and once an object that was used earlier looks as if it was used
/// later.
class usage {
 public:
  static constexpr std::uint64_t most_referrers = (std::uint64_t{1} << 24) - 1;

  /// The object exists from now on.
  void begin(std::uint64_t tick, std::uint64_t referrers) noexcept {
    // (1) release: publishes the object.
    word_.store(tick << count_bits | referrers, std::memory_order_release);
  }

  /// Refers to the object, which is in use at `tick`; 0: this is no use. False when there is no object, or
  /// when it has too many referrers.
  [[nodiscard]] bool try_refer(std::uint64_t tick) noexcept {
    // relaxed: (2) decides.
    auto seen = word_.load(std::memory_order_relaxed);
    do {
      if (count_of(seen) == 0 || count_of(seen) == most_referrers) return false;
      // (2) acquire: synchronizes-with (1), so the object is seen as built.
    } while (!word_.compare_exchange_weak(
        seen, (std::max)(tick, tick_of(seen)) << count_bits | (count_of(seen) + 1), std::memory_order_acquire,
        std::memory_order_relaxed));
    return true;
  }

  /// Refers once more. Precondition: the caller refers to it already, and fewer than `most_referrers` do.
  void refer() noexcept {
    // relaxed: the caller sees the object, and keeps it.
    const auto before = word_.fetch_add(1, std::memory_order_relaxed);
    BROWNOUT_PRECONDITION(count_of(before) < most_referrers, "a breaker has 16,777,215 handles at most");
  }

  /// Refers no longer. True for the last referrer: then the caller ends the object.
  [[nodiscard]] bool release() noexcept {
    // (3) release: what was done with the object comes before its end. acquire: with (3), as the last one.
    return count_of(word_.fetch_sub(1, std::memory_order_acq_rel)) == 1;
  }

  /// Takes the object from its only referrer, for whom the caller acts. False when there are others.
  [[nodiscard]] bool claim() noexcept {
    auto seen = word_.load(std::memory_order_relaxed);  // (4) decides
    // (4) acquire: synchronizes-with (3), so what earlier referrers did is seen.
    return count_of(seen) == 1 && word_.compare_exchange_strong(seen, seen - 1, std::memory_order_acquire,
                                                                std::memory_order_relaxed);
  }

  /// Gives back what was claimed.
  void unclaim() noexcept { word_.fetch_add(1, std::memory_order_release); }  // (1), since it exists again

  [[nodiscard]] bool was_referred_to_once() const noexcept {
    return count_of(word_.load(std::memory_order_relaxed)) == 1;  // relaxed: (4) decides
  }
  /// The tick of the latest use that can be seen.
  [[nodiscard]] std::uint64_t last_used() const noexcept {
    return tick_of(word_.load(std::memory_order_relaxed));  // relaxed: a number, publishes nothing
  }

 private:
  static constexpr int count_bits = 24;
  static constexpr std::uint64_t count_of(std::uint64_t word) noexcept { return word & most_referrers; }
  static constexpr std::uint64_t tick_of(std::uint64_t word) noexcept { return word >> count_bits; }

  // Written by the thread that builds the object (1), refers to it (2), does so no longer (3), or evicts it
  // (4). Publishes the object.
  std::atomic<std::uint64_t> word_{0};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
