// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/peers/rolling_counts.hpp"
#include "studies/shared/policy.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace studies {

/// Hystrix: opens at 50 % failures of at least 20 calls in 10 s, looked at every 500 ms, for 5 s; then one
/// probe. A late result decides like a probe's.
///
/// Its pool of ten threads, whose rejections it counts as failures, is left out.
///
/// Read in HystrixCommandProperties.java (the figures) and HystrixCircuitBreaker.java (the rules) of
/// Hystrix 1.5.18.
class hystrix {
 public:
  struct permit {};

  std::optional<permit> admit(nanoseconds now) {
    look(now);
    if (state_ == state::closed) return permit{};
    if (state_ == state::half_open || now < opened_at_ + sleep) return std::nullopt;
    state_ = state::half_open;
    return permit{};
  }

  void report(permit /*permit*/, nanoseconds now, bool failed) {
    look(now);
    if (state_ == state::half_open) {
      state_ = failed ? state::open : state::closed;
      if (failed) {
        opened_at_ = now;
      } else {
        seen_.clear();
      }
    }
    seen_.add(now, 1, failed ? 1 : 0);
  }

 private:
  enum class state : std::uint8_t { closed, open, half_open };
  static constexpr nanoseconds snapshot_every = std::chrono::milliseconds{500};
  static constexpr nanoseconds sleep = std::chrono::seconds{5};

  /// The health of the whole intervals that are over, once for each of them.
  void look(nanoseconds now) {
    if (now < next_look_) return;
    const auto since = now / snapshot_every * snapshot_every;
    next_look_ = since + snapshot_every;
    const auto sum = seen_.sum(since - nanoseconds{1});
    if (state_ == state::closed && sum.calls >= 20 && 2 * sum.failures >= sum.calls) {
      state_ = state::open;
      opened_at_ = since;
    }
  }

  state state_ = state::closed;
  nanoseconds opened_at_{};
  nanoseconds next_look_ = snapshot_every;
  rolling_counts<20> seen_{snapshot_every};
};
static_assert(decision_policy<hystrix>);

}  // namespace studies
