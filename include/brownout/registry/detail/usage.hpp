// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The use of an object, in one word: how many referrers it has, and when it was last looked up.
///
/// An object without a referrer does not exist and cannot get a referrer again. So a look-up may try any
/// place where it expects an object. Lock-free.
///
/// Time is counted in ticks, the registry's logical time. A tick has 40 bits: 12 days at a million ticks a
/// second. Then the count begins again, and an object that was used earlier may once look as if it was used
/// later.
class usage {
 public:
  static constexpr std::uint64_t most_referrers = (std::uint64_t{1} << 24) - 1;

  /// The object exists from now on.
  void begin(std::uint64_t tick, std::uint64_t referrers) noexcept {
    // (1) release: publishes the object.
    word_.store(tick << count_bits | referrers, std::memory_order_release);
  }

  /// Adds a referrer. `tick`: the tick of this use; 0: this does not count as a use. False if there is no
  /// object, or if it has too many referrers.
  [[nodiscard]] bool try_refer(std::uint64_t tick) noexcept {
    // relaxed: (2) decides.
    auto seen = word_.load(std::memory_order_relaxed);
    do {
      if (count_of(seen) == 0 || count_of(seen) == most_referrers) return false;
      // (2) acquire: synchronizes-with (1), so this thread sees the complete object.
    } while (!word_.compare_exchange_weak(
        seen, (std::max)(tick, tick_of(seen)) << count_bits | (count_of(seen) + 1), std::memory_order_acquire,
        std::memory_order_relaxed));
    return true;
  }

  /// Adds a referrer. Precondition: the caller is a referrer already, and there are fewer than
  /// `most_referrers`.
  void refer() noexcept {
    // relaxed: the caller already sees the object and keeps it alive.
    const auto before = word_.fetch_add(1, std::memory_order_relaxed);
    BROWNOUT_PRECONDITION(count_of(before) < most_referrers, "a breaker has 16,777,215 handles at most");
  }

  /// Removes a referrer. True for the last one: then the caller must destroy the object.
  [[nodiscard]] bool release() noexcept {
    // (3) release: the uses of the object come before its end. acquire: synchronizes-with (3), for the last
    // referrer.
    return count_of(word_.fetch_sub(1, std::memory_order_acq_rel)) == 1;
  }

  /// Removes the only referrer, on behalf of which the caller acts. False if there are others.
  [[nodiscard]] bool claim() noexcept {
    auto seen = word_.load(std::memory_order_relaxed);  // (4) decides
    // (4) acquire: synchronizes-with (3), so this thread sees what earlier referrers did.
    return count_of(seen) == 1 && word_.compare_exchange_strong(seen, seen - 1, std::memory_order_acquire,
                                                                std::memory_order_relaxed);
  }

  /// Reverses `claim`.
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

  // Written by the threads that build the object (1), add a referrer (2), remove one (3) or evict the object
  // (4). Publishes the object.
  std::atomic<std::uint64_t> word_{0};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
