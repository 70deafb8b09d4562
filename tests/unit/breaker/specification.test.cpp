// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/specification.hpp"
#include "unit/breaker/bench.hpp"

#include "brownout/breaker/transitions.hpp"

#include <cstddef>
#include <random>
#include <utility>
#include <variant>
#include <vector>

using namespace breaker_test;

namespace {

/// The breaker and its specification, given the same commands at the same times.
class pair_of_breakers {
 public:
  pair_of_breakers(std::uint32_t threshold, const breaker_options& options)
      : real_{options, threshold}, expected_{threshold, real_.circuit.options()} {}

  void advance(duration by) {
    real_.clock.advance(by);
    now_ += by;
    compare();
  }

  void acquire() {
    auto seen = real_.circuit.try_acquire();
    auto wanted = expected_.acquire(now_);
    if (const auto* refused = std::get_if<rejection>(&wanted)) {
      REQUIRE_FALSE(seen);
      REQUIRE(seen.rejection() == *refused);
    } else {
      REQUIRE(seen);
      held_.emplace_back(*std::move(seen), std::get<specification::permit>(wanted));
    }
    compare();
  }

  void complete(std::size_t which, outcome result) {
    if (held_.empty()) return;
    auto [real, expected] = take(which);
    REQUIRE(real.complete(result) == expected_.complete(expected, result, now_));
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
        real_.circuit.force_open();
        break;
      case circuit_state::disabled:
        real_.circuit.disable();
        break;
      case circuit_state::metrics_only:
        real_.circuit.measure_only();
        break;
      default:
        real_.circuit.reset();
        break;
    }
    expected_.enter(state, now_);
    compare();
  }

  [[nodiscard]] std::size_t held() const { return held_.size(); }

 private:
  std::pair<tested_breaker::permit, specification::permit> take(std::size_t which) {
    const auto at = held_.begin() + static_cast<std::ptrdiff_t>(which % held_.size());
    auto taken = std::move(*at);
    held_.erase(at);
    return taken;
  }

  void compare() {
    const auto seen = real_.circuit.snapshot();
    REQUIRE(seen.state == expected_.state);
    REQUIRE(seen.epoch == expected_.epoch);
    REQUIRE(seen.since == time_point{expected_.since});
    REQUIRE(seen.consecutive_failures == expected_.failures);
    REQUIRE(seen.probes_in_flight == expected_.in_flight);
    REQUIRE(seen.probes_succeeded == expected_.succeeded);
    REQUIRE(seen.rejections == expected_.rejections);
    REQUIRE(seen.late_results == expected_.late);
    if (seen.epoch == last_epoch_) {
      REQUIRE(seen.state == last_state_);
    } else {
      REQUIRE(brownout::cause_of(last_state_, seen.state) != brownout::transition_cause::none);
    }
    last_epoch_ = seen.epoch;
    last_state_ = seen.state;
  }

  bench real_;
  specification expected_;
  duration now_{};
  std::vector<std::pair<tested_breaker::permit, specification::permit>> held_;
  std::uint64_t last_epoch_ = 0;
  circuit_state last_state_ = circuit_state::closed;
};

}  // namespace

TEST_CASE("over long random histories the breaker does what its specification does",
          "[breaker][B1][B4][B6]") {
  const auto seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u);
  const auto probes = GENERATE(1u, 2u, 3u);
  INFO("seed " << seed << ", probes " << probes);
  std::mt19937 random{seed};
  const auto below = [&](std::uint32_t limit) {
    return std::uniform_int_distribution<std::uint32_t>{0, limit - 1}(random);
  };

  pair_of_breakers both{1 + seed % 3, {.open_for = 5ms, .probes = probes, .lease = 3ms}};
  for (int step = 0; step < 1500; ++step) {
    const auto choice = below(100);
    if (choice < 40) {
      both.acquire();
    } else if (choice < 70) {
      both.complete(below(64), below(3) == 0 ? outcome::success : outcome::failure);
    } else if (choice < 75) {
      both.complete(below(64), outcome::success);
    } else if (choice < 78) {
      both.complete(below(64), below(2) == 0 ? outcome::ignored : outcome::cancelled);
    } else if (choice < 84 || both.held() > 30) {
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
