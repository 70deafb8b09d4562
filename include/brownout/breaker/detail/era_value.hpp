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
/// stands in a word of its own that carries a key of the era, and the first thread that needs it in an era
/// fixes it, perhaps on the strength of the number before.
///
/// Why this is exact although the key has 12 bits: a thread replaces a control word only after fixing its
/// numbers, so this word's key is never of a later era than the control word's, and of no earlier one than
/// the last that needed it. A store by a thread that fell asleep fails, because the word has changed since.
/// To find it unchanged, the thread would have to sleep over a whole turn of the keys, at whose end the same
/// number was fixed again. A turn takes 4096 epochs, or within a half-open epoch as many admissions as its
/// word tells apart: 256, and 16 on the ramp. For a moment it means that the whole turn took place in one
/// microsecond of the clock, and the sleeper has read the clock in that microsecond too: what it stores is
/// right.
template <class Atomics>
class era_value {
 public:
  /// `first_value`: the value of the era whose key is 0, or 0 when that era has none.
  explicit era_value(std::uint64_t first_value) noexcept : word_{first_value} {}

  static constexpr int value_bits = 52;
  static constexpr std::uint64_t value_mask = (std::uint64_t{1} << value_bits) - 1;

  /// The value of the era named `key`, 0 if it has none yet. To be believed only if the era turns out to be
  /// current afterwards.
  [[nodiscard]] std::uint64_t fixed_in(std::uint32_t key) const noexcept {
    const auto seen = word_.load(std::memory_order_acquire);  // (1)
    return seen >> value_bits == key ? seen & value_mask : 0;
  }

  /// The value of the era named `key`; `make(previous)` if it has none yet. Nothing when `is_current()` says
  /// that the era is over: then the caller's view is stale and it must look again. Lock-free.
  ///
  /// `is_current` must load the control word (acquire).
  template <class Make, class IsCurrent>
  [[nodiscard]] std::optional<std::uint64_t> fix(std::uint32_t key, Make make,
                                                 IsCurrent is_current) noexcept {
    // (1) acquire: synchronizes-with (2), so a value of a later era shows the caller the later control word
    // too, and is_current() says so.
    auto seen = word_.load(std::memory_order_acquire);
    for (;;) {
      if (!is_current()) return std::nullopt;
      if (seen >> value_bits == key && seen != 0) return seen & value_mask;
      const auto fixed = make(seen & value_mask) & value_mask;
      const auto next = std::uint64_t{key} << value_bits | fixed;
      // (2) release: publishes with the value the control word that it was computed from. On failure (1)
      // again.
      if (word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_acquire)) {
        return fixed;
      }
    }
  }

 private:
  // Written by whoever first needs it in an era (1, 2); publishes the era's value, keyed by the era.
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
  // One more than the microseconds, since 0 is no value. Rounded up, so that no deadline is ever early; late
  // by less than 1 us.
  static std::uint64_t of(duration now) noexcept {
    const auto ticks = std::chrono::ceil<std::chrono::microseconds>(now).count();
    return ticks < 0 ? 1 : static_cast<std::uint64_t>(ticks) + 1;
  }
  static std::optional<duration> time_of(std::uint64_t value) noexcept {
    return std::chrono::microseconds{static_cast<std::int64_t>(value - 1)};
  }

  era_value<Atomics> value_{of(duration{})};  // the first era begins with the breaker
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
