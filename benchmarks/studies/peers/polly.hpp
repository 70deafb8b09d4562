// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/peers/rolling_counts.hpp"
#include "studies/shared/policy.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace studies {

/// Polly 8's circuit-breaker strategy: opens at 10 % failures of at least 100 calls in 30 s, for 5 s; then
/// one probe, and no other call until it has reported. A late result decides like a probe's.
///
/// Read in src/Polly.Core/CircuitBreaker/ of Polly 8: CircuitBreakerConstants.cs has the figures, and
/// Controller/CircuitStateController.cs the rules (OnActionPreExecuteAsync admits a call of a circuit that is
/// not closed only when it turns half-open).
class polly {
 public:
  struct permit {};

  std::optional<permit> admit(nanoseconds now) {
    if (state_ == state::closed) return permit{};
    if (state_ == state::half_open || now < blocked_until_) return std::nullopt;
    state_ = state::half_open;
    return permit{};
  }

  void report(permit /*permit*/, nanoseconds now, bool failed) {
    if (state_ == state::half_open) {
      if (failed) return open(now);
      state_ = state::closed;
      seen_.clear();
    }
    seen_.add(now, 1, failed ? 1 : 0);
    if (!failed || state_ != state::closed) return;
    const auto sum = seen_.sum(now);
    if (sum.calls >= minimum_throughput && 10 * sum.failures >= sum.calls) open(now);
  }

 private:
  enum class state : std::uint8_t { closed, open, half_open };
  static constexpr std::uint64_t minimum_throughput = 100;
  static constexpr nanoseconds break_for = std::chrono::seconds{5};

  void open(nanoseconds now) {
    state_ = state::open;
    blocked_until_ = now + break_for;
  }

  state state_ = state::closed;
  nanoseconds blocked_until_{};
  rolling_counts<10> seen_{std::chrono::seconds{3}};
};
static_assert(decision_policy<polly>);

}  // namespace studies
