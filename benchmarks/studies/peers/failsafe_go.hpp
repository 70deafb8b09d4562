// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/policy.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace studies {

/// failsafe-go's circuit breaker: opens at the first failure, for a minute; then one probe. A late result
/// decides like a probe's.
///
/// Read in circuitbreaker/circuitbreakerbuilder.go (the figures) and circuitstates.go (the rules).
class failsafe_go {
 public:
  struct permit {};

  std::optional<permit> admit(nanoseconds now) {
    if (state_ == state::open && now >= open_until_) {
      state_ = state::half_open;
      probes_left_ = 1;
    }
    if (state_ == state::open) return std::nullopt;
    if (state_ == state::half_open) {
      if (probes_left_ == 0) return std::nullopt;
      --probes_left_;
    }
    return permit{};
  }

  void report(permit /*permit*/, nanoseconds now, bool failed) {
    if (state_ == state::open) return;
    if (failed) {
      state_ = state::open;
      open_until_ = now + std::chrono::minutes{1};
    } else {
      state_ = state::closed;
    }
  }

 private:
  enum class state : std::uint8_t { closed, open, half_open };

  state state_ = state::closed;
  nanoseconds open_until_{};
  std::uint32_t probes_left_ = 0;
};
static_assert(decision_policy<failsafe_go>);

}  // namespace studies
