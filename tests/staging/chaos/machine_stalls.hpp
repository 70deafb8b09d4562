// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/chaos/timeline.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace staging_chaos {

/// Notes when this machine let a thread wait that wanted to run. Promises in milliseconds are about the
/// server, so the campaign adds to each limit what it saw meanwhile: to that of one step the longest stall,
/// to that of many steps all of them.
class machine_stalls {
 public:
  machine_stalls() : thread_{[this] { watch(); }} {}
  ~machine_stalls() {
    stopping_ = true;
    thread_.join();
  }
  machine_stalls(const machine_stalls&) = delete;
  machine_stalls& operator=(const machine_stalls&) = delete;

  /// The longest stall that overlaps this time.
  [[nodiscard]] seconds longest(wall_time from, wall_time until) const {
    seconds longest{};
    for_each(from, until, [&](seconds lasted) { longest = (std::max)(longest, lasted); });
    return longest;
  }
  /// All stalls that overlap this time, together.
  [[nodiscard]] seconds total(wall_time from, wall_time until) const {
    seconds total{};
    for_each(from, until, [&](seconds lasted) { total += lasted; });
    return total;
  }

 private:
  template <class Visitor>
  void for_each(wall_time from, wall_time until, Visitor visit) const {
    const std::lock_guard lock{mutex_};
    for (const auto& [ended, lasted] : stalls_) {
      if (ended >= from && ended - std::chrono::duration_cast<wall_time::duration>(lasted) <= until)
        visit(lasted);
    }
  }

  void watch() {
    constexpr std::chrono::milliseconds pause{5};
    while (!stopping_) {
      const auto began = now();
      std::this_thread::sleep_for(pause);
      const seconds late = now() - began - pause;
      const std::lock_guard lock{mutex_};
      if (late > pause) stalls_.emplace_back(now(), late);
    }
  }

  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_{};  // guards the next
  std::vector<std::pair<wall_time, seconds>> stalls_{};
  std::thread thread_;
};

}  // namespace staging_chaos
