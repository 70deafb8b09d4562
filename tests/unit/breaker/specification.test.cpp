// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/specification.hpp"
#include "unit/breaker/bench.hpp"

#include "brownout/core/circuit_state.hpp"

#include <cstddef>
#include <random>
#include <utility>
#include <variant>
#include <vector>

using namespace breaker_test;

namespace {

/// The breaker and its specification, given the same commands at the same times.
class pair_of_breakers {
  using expected_breaker = specification<failures_in_a_row>;

 public:
  pair_of_breakers(std::uint32_t threshold, const breaker_options& options)
      : real_{consecutive_failures{threshold}, options, clock_}, expected_{{threshold}, real_.options()} {}

  void advance(duration by) {
    clock_.advance(by);
    now_ += by;
    compare();
  }

  void acquire() {
    auto seen = real_.try_acquire();
    auto wanted = expected_.acquire(now_);
    if (const auto* refused = std::get_if<rejection>(&wanted)) {
      REQUIRE_FALSE(seen);
      REQUIRE(seen.rejection() == *refused);
    } else {
      REQUIRE(seen);
      held_.emplace_back(*std::move(seen), std::get<expected_breaker::permit>(wanted));
    }
    compare();
  }

  void complete(std::size_t which, outcome result, duration retry_after = {}) {
    if (held_.empty()) return;
    auto [real, expected] = take(which);
    REQUIRE(real.complete(result, retry_after) == expected_.complete(expected, result, retry_after, now_));
    compare();
  }

  void drop(std::size_t which) {
    if (held_.empty()) return;
    expected_.give_back(take(which).second);  // and the real one goes with its temporary
    compare();
  }

  void hold(circuit_state state) {
    switch (state) {
      case circuit_state::forced_open:
        real_.force_open();
        break;
      case circuit_state::disabled:
        real_.disable();
        break;
      case circuit_state::metrics_only:
        real_.measure_only();
        break;
      default:
        real_.reset();
        break;
    }
    expected_.hold(state, now_);
    compare();
  }

  [[nodiscard]] std::size_t held() const { return held_.size(); }

 private:
  std::pair<tested_breaker::permit, expected_breaker::permit> take(std::size_t which) {
    const auto at = held_.begin() + static_cast<std::ptrdiff_t>(which % held_.size());
    auto taken = std::move(*at);
    held_.erase(at);
    return taken;
  }

  void compare() {
    const auto seen = real_.snapshot();
    REQUIRE(seen.state == expected_.state);
    REQUIRE(seen.epoch == expected_.epoch);
    REQUIRE(seen.since == time_point{expected_.since});
    REQUIRE(seen.consecutive_failures == expected_.detector.failures);
    REQUIRE(seen.probes_in_flight == expected_.in_flight);
    REQUIRE(seen.probes_succeeded == expected_.succeeded);
    REQUIRE(seen.probes_failed == expected_.probes_failed);
    if (seen.state == circuit_state::half_open) REQUIRE(seen.in_flight_limit == expected_.limit());
    if (seen.state == circuit_state::open) {
      REQUIRE(seen.open_period == expected_.period);
      REQUIRE(seen.retry_after == expected_.left_of_open(now_));
    }
    REQUIRE(seen.rejections == expected_.rejections);
    REQUIRE(seen.late_results == expected_.late);
    if (seen.epoch == last_epoch_) {
      REQUIRE(seen.state == last_state_);
    } else {
      REQUIRE(brownout::initiator_of(last_state_, seen.state) != brownout::transition_initiator::none);
    }
    last_epoch_ = seen.epoch;
    last_state_ = seen.state;
  }

  manual_clock clock_;
  tested_breaker real_;
  expected_breaker expected_;
  duration now_{};
  std::vector<std::pair<tested_breaker::permit, expected_breaker::permit>> held_;
  std::uint64_t last_epoch_ = 0;
  circuit_state last_state_ = circuit_state::closed;
};

}  // namespace

TEST_CASE("over long random histories the breaker does what its specification does",
          "[breaker][B1][B4][B6][B12]") {
  const auto seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u);
  const auto probes = GENERATE(1u, 2u, 3u);
  const auto first = GENERATE(0u, 2u, 252u);
  const brownout::ramp_options ramp{.first = first, .successes = first == 252 ? 15u : 4u};
  const auto successes = GENERATE(0u, 2u);  // more than the probes
  const auto rated = GENERATE(0u, 1u, 5u);  // probes that decide by their failure rate
  const auto [rule, open_for] = GENERATE(table<const char*, brownout::open_period>(
      {{"fixed", brownout::fixed_period{5ms}},
       {"exponential", brownout::exponential_period{2ms, 3, 30ms, 0}},
       {"adaptive", brownout::adaptive_period{2ms, 20ms, 0}}}));
  INFO("seed " << seed << ", probes " << probes << ", successes " << successes << " more, by rate " << rated
               << ", ramp " << ramp.first << ", " << rule);
  std::mt19937 random{seed};
  const auto below = [&](std::uint32_t limit) {
    return std::uniform_int_distribution<std::uint32_t>{0, limit - 1}(random);
  };

  pair_of_breakers both{1 + seed % 3,
                        {.open_for = open_for,
                         .open_on_retry_after = seed % 2 == 0,
                         .probes = probes,
                         .successes = probes + successes,
                         .probe_rate = {.calls = rated, .failure_threshold = 0.4},
                         .ramp = ramp,
                         .lease = 3ms,
                         .relapse_within = 7ms}};
  const auto failing = 1 + below(9);  // of ten
  for (int step = 0; step < 500; ++step) {
    const auto choice = below(100);
    if (choice < 40) {
      both.acquire();
    } else if (choice < 70) {
      both.complete(below(64), below(10) < failing ? outcome::failure : outcome::success,
                    below(20) == 0 ? duration{std::chrono::milliseconds{below(250)}} : duration{});
    } else if (choice < 75) {
      both.complete(below(64), outcome::success);
    } else if (choice < 78) {
      both.complete(below(64), below(2) == 0 ? outcome::ignored : outcome::cancelled);
    } else if (choice < 81 || both.held() > 30) {
      both.drop(below(64));
    } else if (choice < 98) {
      both.advance(below(4) == 0 ? duration{5ms} : duration{std::chrono::microseconds{below(2000)}});
    } else if (choice < 99) {
      both.hold(circuit_state::closed);
    } else {
      constexpr circuit_state holds[] = {circuit_state::forced_open, circuit_state::disabled,
                                         circuit_state::metrics_only};
      both.hold(holds[below(3)]);
      for (std::uint32_t i = below(6); i > 0; --i) both.acquire();
      if (below(3) != 0) both.hold(circuit_state::closed);
    }
  }
}
