// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/policy.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/detector/detail/share.hpp"
#include "brownout/version.hpp"

#include <cstdint>

// What a breaker decides about a half-open circuit. Pure: from one word of the circuit to the next.

namespace brownout::inline BROWNOUT_ABI::detail {

/// The first word of a half-open epoch, with its first probe.
[[nodiscard]] inline control_word first_probe(control_word seen, const recovery& rules) noexcept {
  return rules.probe_rate.calls != 0 ? seen.next_by_rate() : seen.next_half_open();
}

/// How a half-open call ended. A slow call that failed is both.
struct probe_end {
  bool failed;
  bool slow;
  duration retry_after;  // as for `control_word::next_open`
};

/// What follows the probes of a half-open circuit when they were good enough.
[[nodiscard]] inline control_word after_probing(control_word seen, const recovery& rules,
                                                std::uint32_t first_marks) noexcept {
  return rules.ramp.first > 0 ? seen.next_on_ramp(rules.ramp.first) : seen.next_closed(first_marks);
}

/// Decides what follows when a half-open call has ended. `first_marks`: of the closed era that may begin.
///
/// - Probing, each probe decides: a bad one opens the circuit, `needed` good ones end the probing.
/// - By rate, the probes decide together, once as many have ended as are `needed`.
/// - On the ramp a bad call lowers the limit or, at a limit of 1, opens the circuit. A good one raises the
///   limit; enough in a row close the circuit.
///
/// A slow call is a bad one, since the detector would open a closed circuit for slow calls. With
/// `open_on_retry_after`, a failure that asks for a wait opens the circuit at once.
[[nodiscard]] inline control_word after_probe(control_word seen, const recovery& rules, probe_end ended,
                                              std::uint32_t first_marks) noexcept {
  const bool bad = ended.failed || ended.slow;
  const auto opened = seen.next_open(false, ended.retry_after);
  if (rules.opens_on(ended.retry_after)) return opened;
  if (seen.is_ramping()) {
    if (bad) return seen.limit() > 1 ? seen.with_end(0, seen.limit() - 1) : opened;
    const auto streak = seen.succeeded() + 1;
    const auto limit = seen.limit() + 1;
    const bool closes = streak >= rules.ramp.successes || limit >= control_word::most_limit;
    return closes ? seen.next_closed(first_marks) : seen.with_end(streak, limit);
  }
  if (seen.is_by_rate() && rules.probe_rate.calls != 0) {
    const auto next = seen.with_result(ended.failed, ended.slow);
    const auto calls = next.succeeded() + next.failed();
    if (calls < rules.needed(seen)) return next;
    // `reaches` is exact to 2.5e-7 only, so it finds a lower threshold reached by no call.
    const auto is_reached = [calls](std::uint32_t ended_badly, double threshold) {
      return ended_badly > 0 && reaches(ended_badly, calls, threshold);
    };
    const bool opens = is_reached(next.failed(), rules.probe_rate.failure_threshold) ||
                       is_reached(next.slow(), rules.probe_rate.slow_threshold);
    return opens ? opened : after_probing(seen, rules, first_marks);
  }
  if (bad) return opened;
  if (seen.succeeded() + 1 >= rules.needed(seen)) return after_probing(seen, rules, first_marks);
  return seen.is_by_rate() ? seen.with_result(false, false) : seen.with_success();
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
