// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/histogram_snapshot.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Counts observations at or below each bound, for metrics.
///
/// Thread-safe and lock-free; `observe` never allocates. A snapshot that is taken while other threads observe
/// may miss the latest observations, but counts none twice.
class histogram {
 public:
  /// What `read` returns.
  using snapshot = histogram_snapshot;

  /// Upper bounds, finite and strictly rising; throws `std::invalid_argument` otherwise.
  explicit histogram(std::vector<double> bounds) : bounds_{std::move(bounds)}, counts_(bounds_.size() + 1) {
    for (std::size_t i = 0; i < bounds_.size(); ++i) {
      if (!std::isfinite(bounds_[i])) {
        detail::invalid_option("histogram.bounds[" + std::to_string(i) + "]", detail::to_text(bounds_[i]),
                               "a finite number; the bucket for the rest is always there");
      }
      if (i > 0 && bounds_[i] <= bounds_[i - 1]) {
        detail::invalid_option("histogram.bounds[" + std::to_string(i) + "]", detail::to_text(bounds_[i]),
                               "above " + detail::to_text(bounds_[i - 1]));
      }
    }
  }

  /// Counts a value. A value that is not finite is dropped, because it would stay in the sum for ever.
  void observe(double value) noexcept {
    if (!std::isfinite(value)) return;
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    // A loop, because libc++ before version 18 has no fetch_add for floating-point numbers.
    auto seen = sum_.load(std::memory_order_relaxed);
    while (!sum_.compare_exchange_weak(seen, seen + value, std::memory_order_relaxed)) {
    }
  }

  /// The counts so far. Allocates. Thread-safe.
  [[nodiscard]] snapshot read() const {
    snapshot shown{bounds_, std::vector<std::uint64_t>(bounds_.size() + 1), 0};
    std::uint64_t below = 0;
    for (std::size_t i = 0; i <= bounds_.size(); ++i) {
      below += counts_[i].load(std::memory_order_relaxed);
      shown.cumulative[i] = below;
    }
    shown.sum = sum_.load(std::memory_order_relaxed);
    return shown;
  }

 private:
  std::vector<double> bounds_;
  // Written by every observation, read by the scraper; order nothing, so relaxed.
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

}  // namespace brownout::inline BROWNOUT_ABI
