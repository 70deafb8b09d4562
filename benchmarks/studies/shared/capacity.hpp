// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/traffic.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace studies {

/// What an overloaded dependency can still do: so many calls a second. What it did not need to do it saves up
/// for a moment.
class limited_capacity {
 public:
  /// Whether a call gets its answer. What is refused by a breaker must not be asked for.
  [[nodiscard]] bool bears(const wanted_call& call) {
    if (std::isinf(call.capacity)) return true;
    const auto passed = std::chrono::duration<double>{call.at - at_}.count();
    at_ = call.at;
    const auto most = std::max(1.0, static_cast<double>(call.capacity) * saved_seconds);
    saved_ = std::min(most, saved_ + passed * static_cast<double>(call.capacity));
    if (saved_ < 1) return false;
    saved_ -= 1;
    return true;
  }

 private:
  static constexpr double saved_seconds = 0.1;

  nanoseconds at_{};
  double saved_ = 0;
};

}  // namespace studies
