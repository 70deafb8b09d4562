// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "service/level.hpp"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace staging {

/// Score and level of the last half hour, for the chart of the live page. A point holds until the next one.
/// Thread-safe.
class score_history {
 public:
  struct point {
    brownout::time_point at;
    std::optional<double> score;  ///< empty: unknown
    level in_force;
  };

  static constexpr std::chrono::minutes kept_for{30};
  /// Between two points of one level: the chart is no wider than 400 pixels a half hour.
  static constexpr std::chrono::seconds apart{5};
  /// A level that flaps takes the oldest points instead of the server's memory.
  static constexpr std::size_t most = 600;

  /// Keeps a point if the score or the level has changed. `seen`: no older than the last one.
  void note(const point& seen) {
    const std::lock_guard lock{mutex_};
    if (!points_.empty() && !is_news(seen)) return;
    points_.push_back(seen);
    // The point before the half hour says how it began.
    while (points_.size() > most || (points_.size() > 1 && points_[1].at <= seen.at - kept_for))
      points_.pop_front();
  }

  [[nodiscard]] std::vector<point> points() const {
    const std::lock_guard lock{mutex_};
    return {points_.begin(), points_.end()};
  }

 private:
  [[nodiscard]] bool is_news(const point& seen) const {
    const auto& last = points_.back();
    if (seen.in_force != last.in_force) return true;
    if (seen.at - last.at < apart) return false;
    if (!seen.score || !last.score) return seen.score.has_value() != last.score.has_value();
    return std::abs(*seen.score - *last.score) >= 0.05;
  }

  mutable std::mutex mutex_;
  std::deque<point> points_;
};

}  // namespace staging
