// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "simulation/dice.hpp"

#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <cstdint>

/// A dependency's server that is played: well, down, slow, half failing, or up and down in turns.
class upstream_server {
 public:
  enum class condition : std::uint8_t { well, down, slow, half_failing, flapping };

  void change(dice& chance) { now_ = static_cast<condition>(chance.below(5)); }
  void repair() { now_ = condition::well; }

  /// An answer, after the time that it takes.
  brownout::outcome ask(dice& chance, brownout::manual_clock& clock) const {
    using namespace std::chrono_literals;
    using brownout::outcome;
    clock.advance(std::chrono::milliseconds{now_ == condition::slow ? chance.between(500, 4000)
                                                                    : chance.between(1, 20)});
    switch (now_) {
      case condition::well:
        return outcome::success;
      case condition::down:
        return outcome::failure;
      case condition::slow:
        return chance.percent(20) ? outcome::failure : outcome::success;
      case condition::half_failing:
        return chance.percent(50) ? outcome::failure : outcome::success;
      case condition::flapping:
        return clock.now().time_since_epoch() / 3s % 2 == 0 ? outcome::success : outcome::failure;
    }
    return outcome::failure;
  }

 private:
  condition now_ = condition::well;
};
