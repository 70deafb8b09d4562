// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/trace.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace studies {

struct counts {
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
};

/// Calls and failures of the latest `Buckets` buckets, the current one included, as peers count them.
template <std::size_t Buckets>
class rolling_counts {
 public:
  explicit rolling_counts(nanoseconds bucket) : bucket_{bucket} {}

  void add(nanoseconds now, std::uint64_t calls, std::uint64_t failures) {
    move_to(now);
    auto& current = buckets_[static_cast<std::size_t>(number_) % Buckets];
    current.calls += calls;
    current.failures += failures;
    sum_.calls += calls;
    sum_.failures += failures;
  }
  [[nodiscard]] counts sum(nanoseconds now) {
    move_to(now);
    return sum_;
  }
  void clear() {
    buckets_ = {};
    sum_ = {};
  }

 private:
  void move_to(nanoseconds now) {
    const auto number = now / bucket_;
    if (number - number_ >= static_cast<std::int64_t>(Buckets)) {
      clear();
      number_ = number;
    }
    while (number_ < number) {
      auto& oldest = buckets_[static_cast<std::size_t>(++number_) % Buckets];
      sum_.calls -= oldest.calls;
      sum_.failures -= oldest.failures;
      oldest = {};
    }
  }

  nanoseconds bucket_;
  std::int64_t number_ = 0;
  counts sum_{};
  std::array<counts, Buckets> buckets_{};
};

}  // namespace studies
