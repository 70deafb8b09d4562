// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/chance.hpp"

#include <cmath>
#include <cstdint>
#include <numbers>

namespace studies::guards {

/// Random numbers that are equal on every machine.
class random {
 public:
  explicit random(std::uint64_t seed) : seed_{seed} {}

  /// In [0, 1).
  [[nodiscard]] double share() { return brownout::detail::chance_of(seed_, number_++); }
  [[nodiscard]] double exponential(double mean) { return -mean * std::log(1 - share()); }
  [[nodiscard]] double log_normal(double median, double sigma) {
    const double radius = std::sqrt(-2 * std::log(1 - share()));
    return median * std::exp(sigma * radius * std::cos(2 * std::numbers::pi * share()));
  }

 private:
  std::uint64_t seed_;
  std::uint64_t number_ = 0;
};

}  // namespace studies::guards
