// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace brownout::detail {

/// When the current era began. The time does not fit into the control word beside the epoch, so it stands in
/// a word of its own that carries a key of the era it belongs to, and the first thread that sees an era fixes
/// its moment.
///
/// Why this is exact although the key has 12 bits: a thread replaces a control word only after fixing its
/// moment, so this word's key is never more than one era behind, and neighbouring keys differ. A store by a
/// thread that fell asleep fails, because the word has changed since. To find it unchanged, the thread would
/// have to sleep over a multiple of 4096 epochs that all began in the same microsecond of the clock, which
/// only an operator's loop on a clock that stands still could do; an era would then begin as early as the
/// sleeper's.
///
/// Microseconds in 52 bits last 142 years.
template <class Atomics>
class moment {
 public:
  static constexpr int time_bits = 52;
  static constexpr std::uint64_t time_mask = (std::uint64_t{1} << time_bits) - 1;

  /// The moment of the era named `key`, fixed to `now` if it has none. Nothing when `is_current()` says that
  /// the era is over: then the caller's view is stale and it must look again. Lock-free.
  ///
  /// `is_current` must load the control word (acquire). Times are since the breaker's construction.
  template <class IsCurrent>
  [[nodiscard]] std::optional<duration> fix(std::uint32_t key, duration now, IsCurrent is_current) noexcept {
    // (1) acquire: synchronizes-with (2), so a moment of a later era shows the caller the later control word
    // too, and is_current() says so.
    auto seen = word_.load(std::memory_order_acquire);
    for (;;) {
      if (!is_current()) return std::nullopt;
      if (seen >> time_bits == key) return time_of(seen);
      const auto fixed = std::uint64_t{key} << time_bits | rounded_up(now);
      // (2) release: publishes with the moment the control word that it was computed from. On failure (1)
      // again.
      if (word_.compare_exchange_weak(seen, fixed, std::memory_order_acq_rel, std::memory_order_acquire)) {
        return time_of(fixed);
      }
    }
  }

 private:
  // Up, so that no deadline is ever early; late by less than 1 us.
  static std::uint64_t rounded_up(duration now) noexcept {
    const auto ticks = std::chrono::ceil<std::chrono::microseconds>(now).count();
    return ticks < 0 ? 0 : static_cast<std::uint64_t>(ticks) & time_mask;
  }
  static duration time_of(std::uint64_t word) noexcept {
    return std::chrono::microseconds{static_cast<std::int64_t>(word & time_mask)};
  }

  // Written by whoever first sees an era (1, 2); publishes the era's moment, keyed by the era.
  typename Atomics::template atomic<std::uint64_t> word_{0};
};

}  // namespace brownout::detail
