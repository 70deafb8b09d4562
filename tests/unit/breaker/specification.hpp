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

/// A call that has ended as a success or a failure.
struct ended_call {
  bool failed = false;
  brownout::duration took{};
  brownout::duration ended{};  // since the breaker was built
};

/// The detector `consecutive_failures` as its specification has it. Others have the same members.
struct failures_in_a_row {
  std::uint32_t threshold = 1;
  std::uint32_t failures = 0;

  /// Counts a call of a circuit that measures. Returns whether a closed circuit must open.
  bool trips(const ended_call& call) {
    failures = call.failed ? failures + 1 : 0;
    return call.failed && failures >= threshold;
  }
  [[nodiscard]] bool is_slow(const ended_call& /*call*/) const { return false; }
  /// A new epoch begins.
  void clear() { failures = 0; }
};

/// The breaker as its specification has it: one thread, plain fields, no packing. Written apart from the
/// library, so that the two can be compared.
///
/// Of open periods it takes the rule's own word for how long each one is, since that is tested by itself.
template <class Detector>
class specification {
 public:
  struct permit {
    std::uint64_t epoch;
    brownout::duration began;
  };

  /// `options` with everything filled in, without jitter.
  specification(Detector detector, const brownout::breaker_options& options)
      : detector{detector}, options_{options} {}

  std::variant<permit, brownout::rejection> acquire(brownout::duration now) {
    using enum brownout::circuit_state;
    using brownout::rejection_reason;
    if (state == forced_open) {
      const auto left = left_of_hold(now);
      if (left > brownout::duration::zero()) return refuse(rejection_reason::forced_open, left);
      period = 0;  // a new outage
      enter(half_open, now);
    } else if (state == disabled && left_of_hold(now) <= brownout::duration::zero()) {
      enter(closed, now);
      closed_by_operator = true;
    } else if (state == open) {
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
    return permit{epoch, now};
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
    const ended_call call{result == brownout::outcome::failure, now - held.began, now};
    const bool failed = call.failed;
    if (!failed) retry_after = {};
    const bool told_to_wait = options_.open_on_retry_after && retry_after.count() > 0;
    if (state == half_open) {
      --in_flight;
      const bool slow = detector.is_slow(call);
      if (told_to_wait) {
        open_again(retry_after, now);
      } else if (ramping) {
        step_on_ramp(failed || slow, retry_after, now);
      } else if (options_.probe_rate.calls > 0) {
        ++(failed ? probes_failed : succeeded);
        if (slow) ++probes_slow;
        if (probes_failed + succeeded == options_.probe_rate.calls) {
          const auto& rate = options_.probe_rate;
          if (reaches(probes_failed, rate.failure_threshold) || reaches(probes_slow, rate.slow_threshold)) {
            open_again(retry_after, now);
          } else {
            end_probing(now);
          }
        }
      } else if (failed || slow) {
        open_again(retry_after, now);
      } else if (++succeeded == options_.successes) {
        end_probing(now);
      }
    } else {
      const bool trips = detector.trips(call);
      if (state == closed && (trips || told_to_wait)) open_closed(retry_after, now);
    }
    return brownout::disposition::counted;
  }

  /// Opens a closed circuit. Returns whether it did.
  bool trip(brownout::duration retry_after, brownout::duration now) {
    if (state != brownout::circuit_state::closed) return false;
    open_closed(retry_after, now);
    return true;
  }

  void give_back(permit held) {
    if (held.epoch == epoch && state == brownout::circuit_state::half_open) --in_flight;
  }

  /// `how_long`: of a circuit that is held open or disabled; zero: until another command.
  void hold(brownout::circuit_state next, brownout::duration now, brownout::duration how_long = {}) {
    using namespace std::chrono_literals;
    if (how_long != brownout::duration{}) how_long = std::clamp<brownout::duration>(how_long, 100ms, 24h * 7);
    if (next != state || next == brownout::circuit_state::closed) {
      enter(next, now);
      closed_by_operator = true;
    } else if (how_long != brownout::duration{}) {
      how_long += now - since;
    }
    held_for = (how_long + 100ms - 1ns) / 100ms * 100ms;
  }

  /// Of a circuit that an operator holds open or has disabled.
  [[nodiscard]] brownout::duration left_of_hold(brownout::duration now) const {
    return held_for == brownout::duration{} ? brownout::rejection::unknown : held_for - (now - since);
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
  Detector detector;
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
    in_flight = succeeded = probes_failed = probes_slow = refused = 0;
    ramping = closed_by_operator = false;
    held_for = {};
    detector.clear();
  }
  [[nodiscard]] bool reaches(std::uint32_t calls, double threshold) const {
    // No share in these tests is nearer to a threshold than a hundredth, unless it is the same.
    return static_cast<double>(calls) / options_.probe_rate.calls > threshold - 0.01;
  }
  void open_closed(brownout::duration retry_after, brownout::duration now) {
    if (now - since >= options_.relapse_within || closed_by_operator) period = 0;
    open_again(retry_after, now);
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
  void step_on_ramp(bool bad, brownout::duration retry_after, brownout::duration now) {
    if (bad) {
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

  brownout::breaker_options options_;
  std::uint32_t refused = 0;
  std::uint32_t probes_slow = 0;
  brownout::duration held_for{};  // by an operator; zero: until another command
  brownout::duration length{};
  bool ramping = false;
  std::uint32_t ramp_limit = 0;
  bool closed_by_operator = false;
};

}  // namespace breaker_test
