// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/policy.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace studies {

/// sony/gobreaker: opens at more than 5 failures in a row, for 60 s; then one probe. Results of an older
/// generation are dropped.
///
/// Read in v2/gobreaker.go: `defaultTimeout`, `defaultReadyToTrip` and `NewCircuitBreaker` have the figures,
/// `currentState` and `afterRequest` the rules.
class gobreaker {
 public:
  struct permit {
    std::uint64_t generation;
  };

  std::optional<permit> admit(nanoseconds now) {
    if (state_ == state::open && now >= open_until_) become(state::half_open, now);
    if (state_ == state::open || (state_ == state::half_open && probes_ > 0)) return std::nullopt;
    if (state_ == state::half_open) ++probes_;
    return permit{generation_};
  }

  void report(permit ended, nanoseconds now, bool failed) {
    if (ended.generation != generation_) return;
    in_a_row_ = failed ? in_a_row_ + 1 : 0;
    if (state_ == state::half_open) {
      become(failed ? state::open : state::closed, now);
    } else if (in_a_row_ > 5) {
      become(state::open, now);
    }
  }

 private:
  enum class state : std::uint8_t { closed, open, half_open };

  void become(state next, nanoseconds now) {
    state_ = next;
    open_until_ = now + std::chrono::seconds{60};
    ++generation_;
    in_a_row_ = 0;
    probes_ = 0;
  }

  state state_ = state::closed;
  std::uint64_t generation_ = 0;
  nanoseconds open_until_{};
  std::uint32_t in_a_row_ = 0;
  std::uint32_t probes_ = 0;
};
static_assert(decision_policy<gobreaker>);

}  // namespace studies
