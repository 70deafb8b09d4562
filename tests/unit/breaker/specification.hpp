// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/options.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <variant>

namespace breaker_test {

/// The breaker as its specification has it: one thread, plain fields, no packing. Written apart from the
/// library, so that the two can be compared.
///
/// Of open periods it takes the rule's own word for how long each one is, since that is tested by itself.
class specification {
 public:
  struct permit {
    std::uint64_t epoch;
  };

  /// `options` with everything filled in, without jitter.
  specification(std::uint32_t threshold, const brownout::breaker_options& options)
      : threshold_{threshold}, options_{options} {}

  std::variant<permit, brownout::rejection> acquire(brownout::duration now) {
    using enum brownout::circuit_state;
    using brownout::rejection_reason;
    if (state == forced_open) return refuse(rejection_reason::forced_open, brownout::rejection::unknown);
    if (state == open) {
      const auto left = left_of_open(now);
      if (left > brownout::duration::zero()) {
        ++refused;
        return refuse(rejection_reason::circuit_open, left);
      }
      enter(half_open, now);
    } else if (state == half_open && in_flight >= limit()) {
      const auto left = since + options_.lease - now;
      if (left > brownout::duration::zero()) {
        if (!ramping) return refuse(rejection_reason::probes_in_flight, left);
        succeeded = 0;
        return refuse(rejection_reason::recovering, left);
      }
      enter(half_open, now);
    }
    if (state == half_open) {
      ++in_flight;
      since = now;
    }
    return permit{epoch};
  }

  brownout::disposition complete(permit held, brownout::outcome result, brownout::duration retry_after,
                                 brownout::duration now) {
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
    const bool told_to_wait = options_.open_on_retry_after && failed && retry_after.count() > 0;
    if (state == half_open) {
      --in_flight;
      if (told_to_wait) {
        open_again(retry_after, now);
      } else if (ramping) {
        step_on_ramp(failed, retry_after, now);
      } else if (options_.probe_rate.calls > 0) {
        ++(failed ? probes_failed : succeeded);
        if (probes_failed + succeeded == options_.probe_rate.calls) {
          // No share in these tests is nearer to a threshold than a hundredth, unless it is the same.
          const double share = static_cast<double>(probes_failed) / options_.probe_rate.calls;
          if (share > options_.probe_rate.failure_threshold - 0.01) {
            open_again(failed ? retry_after : brownout::duration{}, now);
          } else {
            end_probing(now);
          }
        }
      } else if (failed) {
        open_again(retry_after, now);
      } else if (++succeeded == options_.successes) {
        end_probing(now);
      }
    } else {
      failures = failed ? failures + 1 : 0;
      if (state == closed && (failures == threshold_ || told_to_wait)) {
        if (now - since >= options_.relapse_within || closed_by_operator) period = 0;
        open_again(retry_after, now);
      }
    }
    return brownout::disposition::counted;
  }

  void give_back(permit held) {
    if (held.epoch == epoch && state == brownout::circuit_state::half_open) --in_flight;
  }

  void hold(brownout::circuit_state next, brownout::duration now) {
    if (next == state && next != brownout::circuit_state::closed) return;
    enter(next, now);
    closed_by_operator = true;
  }

  /// How many calls may be in flight while half-open.
  [[nodiscard]] std::uint32_t limit() const {
    if (ramping) return ramp_limit;
    const auto needed = options_.probe_rate.calls > 0 ? options_.probe_rate.calls : options_.successes;
    return std::min(options_.probes, needed - succeeded - probes_failed);
  }
  /// Until an open circuit may be probed.
  [[nodiscard]] brownout::duration left_of_open(brownout::duration now) const {
    const auto passed = now - since;
    if (passed < length) return length - passed;
    if (!options_.open_for.waits_for_refusals() || refused >= period + 4) return {};
    return std::clamp(options_.open_for.most(length) - passed, brownout::duration{}, length);
  }

  brownout::circuit_state state = brownout::circuit_state::closed;
  std::uint64_t epoch = 0;
  brownout::duration since{};
  std::uint32_t failures = 0;
  std::uint32_t in_flight = 0;
  std::uint32_t succeeded = 0;
  std::uint32_t probes_failed = 0;  // by rate
  std::uint32_t period = 0;         // of the outage
  std::uint64_t rejections = 0;
  std::uint64_t late = 0;

 private:
  void enter(brownout::circuit_state next, brownout::duration now) {
    state = next;
    ++epoch;
    since = now;
    failures = in_flight = succeeded = probes_failed = refused = 0;
    ramping = closed_by_operator = false;
  }
  void end_probing(brownout::duration now) {
    if (options_.ramp.first == 0) return enter(brownout::circuit_state::closed, now);
    enter(brownout::circuit_state::half_open, now);
    ramping = true;
    ramp_limit = options_.ramp.first;
  }
  void open_again(brownout::duration retry_after, brownout::duration now) {
    ++period;
    constexpr auto step = std::chrono::milliseconds{100};
    const auto wished = (std::min<brownout::duration>(retry_after, std::chrono::minutes{5}) + step -
                         std::chrono::nanoseconds{1}) /
                        step * step;
    length = std::max<brownout::duration>(options_.open_for.least(period, length, 0.5), wished);
    enter(brownout::circuit_state::open, now);
  }
  void step_on_ramp(bool failed, brownout::duration retry_after, brownout::duration now) {
    if (failed) {
      succeeded = 0;
      if (ramp_limit == 1) return open_again(retry_after, now);
      --ramp_limit;
      return;
    }
    ++succeeded;
    ++ramp_limit;
    if (succeeded == options_.ramp.successes || ramp_limit == 255)
      enter(brownout::circuit_state::closed, now);
  }

  brownout::rejection refuse(brownout::rejection_reason reason, brownout::duration retry_after) {
    ++rejections;
    return {reason, retry_after};
  }

  std::uint32_t threshold_;
  brownout::breaker_options options_;
  std::uint32_t refused = 0;
  brownout::duration length{};
  bool ramping = false;
  std::uint32_t ramp_limit = 0;
  bool closed_by_operator = false;
};

}  // namespace breaker_test
