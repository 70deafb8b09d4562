// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/peers/rolling_counts.hpp"
#include "studies/shared/policy.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace studies {

/// opossum: opens when more than 50 % of what was asked for in 10 s failed, however little that was, for
/// 30 s; then one probe. What it refuses counts as asked for, and a late result decides like a probe's.
class opossum {
 public:
  struct permit {};

  std::optional<permit> admit(nanoseconds now) {
    asked_.add(now, 1, 0);
    if (state_ == state::closed) return permit{};
    if (state_ == state::half_open || now < opened_at_ + reset_timeout) return std::nullopt;
    state_ = state::half_open;
    return permit{};
  }

  void report(permit /*permit*/, nanoseconds now, bool failed) {
    asked_.add(now, 0, failed ? 1 : 0);
    if (!failed) {
      if (state_ == state::half_open) state_ = state::closed;
      return;
    }
    const auto sum = asked_.sum(now);
    const bool trips = state_ == state::closed && 2 * sum.failures > sum.calls;
    if (trips || state_ == state::half_open) {
      state_ = state::open;
      opened_at_ = now;
    }
  }

 private:
  enum class state : std::uint8_t { closed, open, half_open };
  static constexpr nanoseconds reset_timeout = std::chrono::seconds{30};

  state state_ = state::closed;
  nanoseconds opened_at_{};
  rolling_counts<10> asked_{std::chrono::seconds{1}};
};
static_assert(decision_policy<opossum>);

}  // namespace studies
