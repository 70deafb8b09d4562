// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/outage.hpp"
#include "brownout/breaker/detail/policy.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <algorithm>

namespace brownout::inline BROWNOUT_ABI::detail {

/// An era of a circuit at one moment: the input of a decision.
struct era_state {
  control_word word;
  duration now;    // one reading of the clock; never earlier than the beginning of the era
  duration begun;  // half-open: when the latest call was admitted
  outage period;   // open

  /// How long until a call may pass. 0: a call may pass now. Calls `rules()` for the options only if they
  /// matter.
  template <class Rules>
  [[nodiscard]] duration wait(Rules rules) const noexcept {
    switch (word.state()) {
      case circuit_state::open: {
        const auto left = left_of(period.least());
        if (left > duration::zero() || !period.waits_after(word.refused())) return left;
        // It is unknown when the missing calls will come. The least length again is a good moment for another
        // try.
        return (std::min)(left_of(rules()->open_for.most(period.least())), period.least());
      }
      case circuit_state::half_open:
        return wait_for_place(*rules());
      case circuit_state::forced_open:
        return word.is_held_for_ever() ? rejection::unknown : left_of(word.held_for());
      case circuit_state::closed:
      case circuit_state::disabled:
      case circuit_state::metrics_only:
        break;
    }
    return duration::zero();
  }

  /// How long until a call may pass on a half-open circuit with these options.
  [[nodiscard]] duration wait_for_place(const recovery& rules) const noexcept {
    return word.in_flight() < rules.limit(word) ? duration::zero() : left_of(rules.lease);
  }

 private:
  [[nodiscard]] duration left_of(duration length) const noexcept {
    return (std::max)(length - (now - begun), duration::zero());
  }
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
