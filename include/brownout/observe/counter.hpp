// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// Counts events for metrics. Thread-safe and wait-free. Costs about 6 ns, and more when several threads
/// share a counter.
class counter {
 public:
  /// Adds `by`. Thread-safe, wait-free.
  void increment(std::uint64_t by = 1) noexcept { count_.fetch_add(by, std::memory_order_relaxed); }
  /// The sum so far. Thread-safe, wait-free.
  [[nodiscard]] std::uint64_t value() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  // Written by every event, read by the scraper; orders nothing, so relaxed.
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace brownout::inline BROWNOUT_ABI
