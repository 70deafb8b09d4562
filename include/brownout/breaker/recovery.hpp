// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/control_word.hpp"
#include "brownout/breaker/open_period.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/core/clock.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace brownout::detail {

/// The options that are numbers, with what was left out filled in: what a circuit's decisions read.
struct recovery {
  open_period open_for;
  std::uint32_t probes;
  std::uint32_t successes;
  ramp_options ramp;
  duration lease;
  duration relapse_within;
  std::uint64_t seed;

  static recovery of(const breaker_options& given) {
    return {given.open_for,
            given.probes,
            given.successes != 0 ? given.successes : std::max(5U, given.probes),
            given.ramp,
            given.lease != duration{}
                ? given.lease
                : std::clamp(given.open_for.upper_bound(), breaker_options::default_lease,
                             breaker_options::longest_period),
            given.relapse_within,
            given.seed};
  }

  /// How many calls may be in flight in the half-open `seen`.
  [[nodiscard]] std::uint32_t limit(control_word seen) const noexcept {
    if (seen.is_ramping()) return seen.limit();
    // One at least: with fewer successes needed than there have been, the next one closes.
    return std::min(probes, successes > seen.succeeded() ? successes - seen.succeeded() : 1);
  }

  [[nodiscard]] breaker_options options(std::string name) const {
    return {std::move(name), open_for, probes, successes, ramp, lease, relapse_within, seed};
  }
};

}  // namespace brownout::detail
