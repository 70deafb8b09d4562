// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Finds numbers by hash. Open addressing with 8 bytes for each slot. The size never changes.
///
/// Only one thread at a time may insert or erase. Any number of threads may look up meanwhile, lock-free. A
/// look-up never finds a number that was not inserted. It may miss a number while others are moved, so repeat
/// a miss when no changes are made.
class key_index {
 public:
  /// Room for `most` numbers.
  explicit key_index(std::uint32_t most)
      : most_{most},
        size_{most + most / 4 + 8},  // at most 4/5 full: about 3 slots to look at
        slots_(size_) {}

  [[nodiscard]] bool is_full() const noexcept { return count_ == most_; }

  /// Calls `accept` for the numbers inserted with this hash until it returns true. Returns whether it did.
  template <class Accept>
  bool find(std::uint32_t hash, Accept accept) const {
    auto at = home_of(hash);
    for (std::uint32_t looked = 0; looked < size_; ++looked, at = after(at)) {
      // (1) acquire: synchronizes-with (2), so this thread sees the place of the number.
      const auto slot = slots_[at].load(std::memory_order_acquire);
      if (slot == 0) return false;
      if (hash_of(slot) == hash && accept(number_of(slot))) return true;
    }
    return false;
  }

  /// Precondition: not full, and the number is not in it.
  void insert(std::uint32_t hash, std::uint32_t number) noexcept {
    auto at = home_of(hash);
    while (slot_at(at) != 0) at = after(at);
    put(at, std::uint64_t{hash} << 32 | (std::uint64_t{number} + 1));
    ++count_;
  }

  /// Precondition: inserted with this hash.
  void erase(std::uint32_t hash, std::uint32_t number) noexcept {
    auto hole = home_of(hash);
    while (number_of(slot_at(hole)) != number) hole = after(hole);
    // Later slots move up where possible, so that erased slots do not make a search longer.
    for (auto at = after(hole); slot_at(at) != 0; at = after(at)) {
      if (distance(home_of(hash_of(slot_at(at))), at) >= distance(hole, at)) {
        put(hole, slot_at(at));
        hole = at;
      }
    }
    put(hole, 0);
    --count_;
  }

 private:
  static constexpr std::uint32_t hash_of(std::uint64_t slot) noexcept {
    return static_cast<std::uint32_t>(slot >> 32);
  }
  static constexpr std::uint32_t number_of(std::uint64_t slot) noexcept {
    return static_cast<std::uint32_t>(slot) - 1;
  }

  // Uses the high bits, because the low bits select the shard.
  [[nodiscard]] std::uint32_t home_of(std::uint32_t hash) const noexcept {
    return static_cast<std::uint32_t>(std::uint64_t{hash} * size_ >> 32);
  }
  [[nodiscard]] std::uint32_t after(std::uint32_t at) const noexcept { return at + 1 == size_ ? 0 : at + 1; }
  [[nodiscard]] std::uint32_t distance(std::uint32_t from, std::uint32_t to) const noexcept {
    return to >= from ? to - from : to + size_ - from;
  }

  // relaxed: called only by the thread that writes.
  [[nodiscard]] std::uint64_t slot_at(std::uint32_t at) const noexcept {
    return slots_[at].load(std::memory_order_relaxed);
  }
  // (2) release: publishes the place of the number.
  void put(std::uint32_t at, std::uint64_t slot) noexcept {
    slots_[at].store(slot, std::memory_order_release);
  }

  const std::uint32_t most_;
  const std::uint32_t size_;
  std::uint32_t count_ = 0;
  // Each slot holds the hash and the number + 1. 0: empty. Written by the thread that inserts or erases (2),
  // read by all threads (1).
  std::vector<std::atomic<std::uint64_t>> slots_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
