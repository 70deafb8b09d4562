// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/observe/histogram.hpp"
#include "brownout/observe/prometheus_text.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace staging {

/// What the dashboard counts about its own requests. Thread-safe.
///
/// Both labels come from fixed sets (routes, statuses), so their number is bounded whatever clients send.
class request_metrics {
 public:
  void count(std::string_view route, int status, double seconds);
  void write(brownout::prometheus_text& out) const;

 private:
  using key = std::pair<std::string, int>;

  mutable std::mutex mutex_;  // guards the map; a series, once there, is lock-free and never moves
  std::map<key, std::unique_ptr<brownout::histogram>> durations_;
};

}  // namespace staging
