// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The total in which a counted call is.
enum class result_kind : std::uint8_t { good, failed, slow };

/// `rules`: the detector that judges the call.
template <class Detector>
[[nodiscard]] constexpr result_kind kind_of(const call_sample& call, const Detector& rules) noexcept {
  if (call.failed) return result_kind::failed;
  if constexpr (Detector::times_calls) {
    // A call that was overdue has been counted while it was in flight.
    if (!call.was_overdue && rules.is_bad(call)) return result_kind::slow;
  }
  return result_kind::good;
}

/// How many results of each kind there were. Calls that are not timed are never slow, so that total takes no
/// place without `TimesCalls`.
template <class Atomics, bool TimesCalls>
class result_totals {
 public:
  // relaxed, here and below: totals for display, which order nothing.
  BROWNOUT_ALWAYS_INLINE void add(result_kind kind) noexcept {
    if (kind == result_kind::failed) failed_.fetch_add(1, std::memory_order_relaxed);
    if constexpr (TimesCalls) {
      if (kind == result_kind::slow) slow_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  void add_late() noexcept { late_.fetch_add(1, std::memory_order_relaxed); }

  void show_in(breaker_snapshot& shown) const noexcept {
    shown.late_results = late_.load(std::memory_order_relaxed);
    shown.failed_results = failed_.load(std::memory_order_relaxed);
    if constexpr (TimesCalls) shown.slow_results = slow_.load(std::memory_order_relaxed);
  }

 private:
  using total = typename Atomics::template atomic<std::uint32_t>;
  struct nothing {};

  // Each is written by the reporters of such results, and publishes nothing.
  total late_{0};
  total failed_{0};
  BROWNOUT_NO_UNIQUE_ADDRESS std::conditional_t<TimesCalls, total, nothing> slow_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
