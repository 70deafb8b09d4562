// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A number of 52 bits, not 0, that belongs to the current era of a control word and does not fit into it. It
/// is in a separate word, together with a key of the era. The first thread that needs the number in an era
/// fixes it, and may compute it from the number before.
///
/// Why this is exact although the key has 12 bits: a thread replaces a control word only after it has fixed
/// the numbers of its era. So the key in this word never belongs to a later era than the control word. It
/// also never belongs to an earlier era than the last one that needed a number. A store by a thread that
/// slept fails, because the word has changed meanwhile. To find it unchanged, the thread would have to sleep
/// through a whole turn of the keys, and at the end of the turn the same number would have to be fixed again.
/// A turn takes 4096 epochs. Within a half-open epoch it takes as many admissions as the word can count: 128,
/// by rate 8, and on the ramp 16. If the number is a moment, the same number means that the whole turn took
/// place in one microsecond of the clock. One case is left: the present era has begun, and no thread has
/// fixed its moment yet. Then the sleeping thread stores an older moment, and a lease may be cut short by the
/// time between the two.
template <class Atomics>
class era_value {
 public:
  /// `first_value`: the value of the era whose key is 0, or 0 when that era has none.
  explicit era_value(std::uint64_t first_value) noexcept : word_{first_value} {}

  static constexpr int value_bits = 52;
  static constexpr std::uint64_t value_mask = (std::uint64_t{1} << value_bits) - 1;

  /// The value of the era named `key`, or 0 if it has none yet. Valid only if the caller finds afterwards
  /// that the era is still current.
  [[nodiscard]] std::uint64_t fixed_in(std::uint32_t key) const noexcept {
    const auto seen = word_.load(std::memory_order_acquire);  // (1)
    return seen >> value_bits == key ? seen & value_mask : 0;
  }

  /// The value of the era named `key`; `make(previous)` if it has none yet. Empty if `is_current()` returns
  /// false: the era is over, and the caller must load the control word again. Lock-free.
  ///
  /// `is_current` must load the control word (acquire).
  template <class Make, class IsCurrent>
  [[nodiscard]] std::optional<std::uint64_t> fix(std::uint32_t key, Make make,
                                                 IsCurrent is_current) noexcept {
    // (1) acquire: synchronizes-with (2). So a thread that reads a value of a later era also sees the later
    // control word, and is_current() returns false.
    auto seen = word_.load(std::memory_order_acquire);
    for (;;) {
      if (!is_current()) return std::nullopt;
      if (seen >> value_bits == key && seen != 0) return seen & value_mask;
      const auto fixed = make(seen & value_mask) & value_mask;
      const auto next = std::uint64_t{key} << value_bits | fixed;
      // (2) release: publishes the control word that the value was computed from. On failure (1) again.
      if (word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_acquire)) {
        return fixed;
      }
    }
  }

 private:
  // Written by the first thread that needs it in an era (1, 2). Publishes the value of the era, with the key
  // of the era.
  typename Atomics::template atomic<std::uint64_t> word_;  // 0: none yet
};

/// When the current era began, in whole microseconds since the breaker was built: 52 bits last 142 years.
template <class Atomics>
class moment {
 public:
  /// The moment of the era named `key`, fixed to `now` if it has none. See `era_value::fix`.
  template <class IsCurrent>
  [[nodiscard]] std::optional<duration> fix(std::uint32_t key, duration now, IsCurrent is_current) noexcept {
    const auto value = value_.fix(
        key, [&](std::uint64_t /*previous*/) { return of(now); }, is_current);
    return value ? time_of(*value) : std::nullopt;
  }

  /// The moment, if it is fixed. See `era_value::fixed_in`.
  [[nodiscard]] std::optional<duration> fixed_in(std::uint32_t key) const noexcept {
    const auto value = value_.fixed_in(key);
    return value != 0 ? time_of(value) : std::nullopt;
  }

 private:
  // One more than the microseconds, because 0 means no value. Rounded up, so that no deadline is ever early;
  // late by less than 1 us.
  static std::uint64_t of(duration now) noexcept {
    const auto microseconds = std::chrono::ceil<std::chrono::microseconds>(now).count();
    return microseconds < 0 ? 1 : static_cast<std::uint64_t>(microseconds) + 1;
  }
  static std::optional<duration> time_of(std::uint64_t value) noexcept {
    return std::chrono::microseconds{static_cast<std::int64_t>(value - 1)};
  }

  era_value<Atomics> value_{of(duration{})};  // the first era begins with the breaker
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
