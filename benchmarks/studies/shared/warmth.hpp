// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/traffic.hpp"

#include <algorithm>
#include <chrono>

namespace studies {

/// How warm a dependency is. It is warmed up by the calls that it is given, whether they fail or not.
class warmth {
 public:
  explicit warmth(const traffic& all)
      : cold_{all.what_happens.cold},
        needed_{std::chrono::duration<double>{cold_.warms_up}.count() * all.calls_per_second} {}

  /// Probability that a call fails because the dependency is cold.
  [[nodiscard]] double failures(nanoseconds now) const {
    if (cold_.failures == 0 || now < cold_.begins) return 0;
    return cold_.failures * std::max(0.0, 1 - given_ / needed_);
  }
  /// Whether the dependency is warm enough for this call. A call that is refused by a breaker must not be
  /// asked for.
  [[nodiscard]] bool bears(const wanted_call& call) {
    const bool fails = static_cast<double>(call.chance) < failures(call.at);
    if (call.at >= cold_.begins) given_ += 1;
    return !fails;
  }

 private:
  cold_start cold_;
  double needed_;
  double given_ = 0;
};

}  // namespace studies
