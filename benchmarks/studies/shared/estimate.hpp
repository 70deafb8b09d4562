// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>

namespace studies {

/// A mean over seeds, and the standard error of it.
struct estimate {
  double mean = 0;
  double error = 0;
};

struct running_mean {
  double sum = 0;
  double count = 0;

  void add(double value) {
    sum += value;
    count += 1;
  }
  [[nodiscard]] double value() const { return sum / count; }
};

/// Of one figure a seed.
class mean_of_seeds {
 public:
  void add(double value) {
    mean_.add(value);
    square_.add(value * value);
  }
  [[nodiscard]] estimate value() const {
    const auto variance = square_.value() - mean_.value() * mean_.value();
    return {mean_.value(), std::sqrt(std::max(variance, 0.0) / std::max(mean_.count - 1, 1.0))};
  }

 private:
  running_mean mean_;
  running_mean square_;
};

}  // namespace studies
