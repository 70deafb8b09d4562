// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/policy.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace studies {

/// resilience4j's CircuitBreaker: opens at 50 % failures in the latest 100 calls, for 60 s; then ten probes,
/// of which half must succeed. Results count for whatever state they find, however old they are.
///
/// Read in CircuitBreakerConfig.java (the figures) and CircuitBreakerStateMachine.java (the rules), in
/// resilience4j-circuitbreaker of resilience4j 2.
class resilience4j {
 public:
  struct permit {};

  std::optional<permit> admit(nanoseconds now) {
    if (state_ == state::open && now >= opened_at_ + open_for) become(state::half_open, now);
    if (state_ == state::open) return std::nullopt;
    if (state_ == state::half_open) {
      if (probes_left_ == 0) return std::nullopt;
      --probes_left_;
    }
    return permit{};
  }

  void report(permit /*permit*/, nanoseconds now, bool failed) {
    if (state_ == state::open) return;
    latest_.add(failed);
    if (latest_.calls < needed()) return;
    const bool trips = 2 * latest_.failures >= latest_.calls;
    if (trips) {
      become(state::open, now);
    } else if (state_ == state::half_open) {
      become(state::closed, now);
    }
  }

  [[nodiscard]] bool is_open() const { return state_ == state::open; }

 private:
  enum class state : std::uint8_t { closed, open, half_open };
  static constexpr std::size_t window = 100;
  static constexpr std::size_t probes = 10;
  static constexpr nanoseconds open_for = std::chrono::seconds{60};

  struct ring {
    std::array<bool, window> failed{};
    std::size_t next = 0;
    std::size_t calls = 0;
    std::size_t failures = 0;

    void add(bool now_failed) {
      if (calls == window) {
        failures -= failed[next] ? 1U : 0U;
      } else {
        ++calls;
      }
      failures += now_failed ? 1U : 0U;
      failed[next] = now_failed;
      next = (next + 1) % window;
    }
  };

  [[nodiscard]] std::size_t needed() const { return state_ == state::half_open ? probes : window; }
  void become(state next, nanoseconds now) {
    state_ = next;
    opened_at_ = now;
    probes_left_ = probes;
    latest_ = {};
  }

  state state_ = state::closed;
  nanoseconds opened_at_{};
  std::size_t probes_left_ = 0;
  ring latest_{};
};
static_assert(decision_policy<resilience4j>);

}  // namespace studies
