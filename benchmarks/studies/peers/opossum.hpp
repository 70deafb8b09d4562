// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/peers/rolling_counts.hpp"
#include "studies/shared/policy.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace studies {

/// opossum: opens when more than 50 % of what was asked for in 10 s failed, however little that was. A timer
/// turns it half-open after 30 s; then one probe. What it refuses counts as asked for, and a late result
/// decides like a probe's, also before there is a probe.
///
/// Read in lib/circuit.js of opossum 10.0.0: the constructor has the figures, `_startTimer` and `fail` have
/// the rules.
class opossum {
 public:
  struct permit {};

  std::optional<permit> admit(nanoseconds now) {
    let_timer_ring(now);
    asked_.add(now, 1, 0);
    if (state_ == state::closed) return permit{};
    if (!may_probe_) return std::nullopt;
    may_probe_ = false;
    return permit{};
  }

  void report(permit /*permit*/, nanoseconds now, bool failed) {
    let_timer_ring(now);
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
      may_probe_ = false;
    }
  }

 private:
  enum class state : std::uint8_t { closed, open, half_open };
  static constexpr nanoseconds reset_timeout = std::chrono::seconds{30};

  void let_timer_ring(nanoseconds now) {
    if (state_ != state::open || now < opened_at_ + reset_timeout) return;
    state_ = state::half_open;
    may_probe_ = true;
  }

  state state_ = state::closed;
  nanoseconds opened_at_{};
  bool may_probe_ = false;
  rolling_counts<10> asked_{std::chrono::seconds{1}};
};
static_assert(decision_policy<opossum>);

}  // namespace studies
