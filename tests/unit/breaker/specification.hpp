// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/options.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"

#include <cstdint>
#include <optional>
#include <variant>

namespace breaker_test {

/// The breaker as its specification has it: one thread, plain fields, no packing. Written apart from the
/// library, so that the two can be compared.
class specification {
 public:
  struct permit {
    std::uint64_t epoch;
  };

  specification(std::uint32_t threshold, const brownout::breaker_options& options)
      : threshold_{threshold}, options_{options} {}

  std::variant<permit, brownout::rejection> acquire(brownout::duration now) {
    using enum brownout::circuit_state;
    using brownout::rejection_reason;
    if (state == forced_open) return refuse(rejection_reason::forced_open, brownout::rejection::unknown);
    if (state == open) {
      const auto left = since + options_.open_for - now;
      if (left > brownout::duration::zero()) return refuse(rejection_reason::circuit_open, left);
      enter(half_open, now);
    } else if (state == half_open && in_flight + succeeded == options_.probes) {
      const auto left = since + options_.lease - now;
      if (left > brownout::duration::zero()) return refuse(rejection_reason::probes_in_flight, left);
      enter(half_open, now);
    }
    if (state == half_open) {
      ++in_flight;
      since = now;
    }
    return permit{epoch};
  }

  brownout::disposition complete(permit held, brownout::outcome result, brownout::duration now) {
    using enum brownout::circuit_state;
    if (result == brownout::outcome::ignored || result == brownout::outcome::cancelled) {
      give_back(held);
      return brownout::disposition::released;
    }
    if (held.epoch != epoch) {
      ++late;
      return brownout::disposition::late;
    }
    if (state == disabled) return brownout::disposition::released;
    const bool failed = result == brownout::outcome::failure;
    if (state == half_open) {
      --in_flight;
      if (failed) {
        enter(open, now);
      } else if (++succeeded == options_.probes) {
        enter(closed, now);
      }
    } else {
      failures = failed ? failures + 1 : 0;
      if (state == closed && failures == threshold_) enter(open, now);
    }
    return brownout::disposition::counted;
  }

  void give_back(permit held) {
    if (held.epoch == epoch && state == brownout::circuit_state::half_open) --in_flight;
  }

  void enter(brownout::circuit_state next, brownout::duration now) {
    state = next;
    ++epoch;
    since = now;
    failures = in_flight = succeeded = 0;
  }

  brownout::circuit_state state = brownout::circuit_state::closed;
  std::uint64_t epoch = 0;
  brownout::duration since{};
  std::uint32_t failures = 0;
  std::uint32_t in_flight = 0;
  std::uint32_t succeeded = 0;
  std::uint64_t rejections = 0;
  std::uint64_t late = 0;

 private:
  brownout::rejection refuse(brownout::rejection_reason reason, brownout::duration retry_after) {
    ++rejections;
    return {reason, retry_after};
  }

  std::uint32_t threshold_;
  brownout::breaker_options options_;
};

}  // namespace breaker_test
