// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/observe/histogram.hpp"
#include "brownout/observe/prometheus_text.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace staging {

/// What the dashboard counts about its own requests. Thread-safe.
///
/// All labels come from fixed sets (routes, statuses, features, sources), so their number is bounded whatever
/// clients send.
class request_metrics {
 public:
  void count(std::string_view route, int status, double seconds);
  /// An answer of a demo feature, by where it came from.
  void count_answer(std::string_view feature, std::string_view source);
  void write(brownout::prometheus_text& out) const;

 private:
  using key = std::pair<std::string, int>;

  mutable std::mutex mutex_;  // guards the maps; a histogram, once there, is lock-free and never moves
  std::map<key, std::unique_ptr<brownout::histogram>> durations_;
  // From the start with zero: a rate misses the first increment of a series that begins with it.
  std::map<std::pair<std::string, std::string>, std::uint64_t> answers_{
      {{"inventory_management", "cache"}, 0}, {{"inventory_management", "database"}, 0},
      {{"inventory_management", "stale"}, 0}, {{"inventory_management", "none"}, 0},
      {{"ai_recommendations", "openai"}, 0},  {{"ai_recommendations", "rules"}, 0},
      {{"ai_recommendations", "none"}, 0},
  };
};

}  // namespace staging
