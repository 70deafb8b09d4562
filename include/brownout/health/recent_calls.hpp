// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace brownout::inline BROWNOUT_ABI {

/// The latest calls of one epoch in figures.
struct call_statistics {
  std::uint32_t calls = 0;
  std::uint32_t successes = 0;
  duration mean_latency{};  ///< of the successes only: a refusal is fast and a time-out is slow
  time_point last{};        ///< when the latest call ended; undefined without calls
};

/// The latest `Size` calls: how many succeeded and how long they took.
///
/// It belongs to one epoch of a circuit at a time. The first record of a newer epoch empties it, so that
/// failures from before an outage do not count after it. The first record after a long silence empties it
/// too, because old calls are no evidence of the present. Thread-safe; each operation takes one short lock.
template <std::size_t Size>
class recent_calls {
 public:
  /// A time without calls longer than `forgets_after` empties the window. Default: never.
  explicit recent_calls(duration forgets_after = (duration::max)()) noexcept
      : forgets_after_{forgets_after} {}

  /// Counts one call. A record of an epoch older than the window's is dropped.
  void record(std::uint64_t epoch, bool success, duration latency, time_point ended) noexcept {
    const std::lock_guard lock{mutex_};
    if (epoch < epoch_) return;
    if (epoch > epoch_ || ended - latency - last_ > forgets_after_) {
      epoch_ = epoch;
      next_ = 0;
      held_ = 0;
      totals_ = {};
    }
    auto& slot = calls_[next_];
    if (held_ == Size) {
      totals_.take_out(slot);
    } else {
      ++held_;
    }
    slot = {success, latency};
    totals_.put_in(slot);
    next_ = (next_ + 1) % Size;
    last_ = (std::max)(last_, ended);
  }

  /// The window as seen in `epoch`: empty unless its records belong to that epoch.
  [[nodiscard]] call_statistics statistics(std::uint64_t epoch) const noexcept {
    const std::lock_guard lock{mutex_};
    if (epoch != epoch_) return {};
    return {static_cast<std::uint32_t>(held_), totals_.successes,
            totals_.successes == 0 ? duration{} : totals_.latency / std::int64_t{totals_.successes}, last_};
  }

 private:
  struct call {
    bool success = false;
    duration latency{};
  };
  struct totals {
    std::uint32_t successes = 0;
    duration latency{};  // of the successes

    void put_in(const call& added) noexcept {
      if (!added.success) return;
      ++successes;
      latency += added.latency;
    }
    void take_out(const call& removed) noexcept {
      if (!removed.success) return;
      --successes;
      latency -= removed.latency;
    }
  };

  const duration forgets_after_;
  mutable std::mutex mutex_{};
  std::uint64_t epoch_ = 0;
  std::size_t next_ = 0;  // where the next call goes
  std::size_t held_ = 0;  // calls in the window
  time_point last_{};
  totals totals_{};
  std::array<call, Size> calls_{};
};

}  // namespace brownout::inline BROWNOUT_ABI
