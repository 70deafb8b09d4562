// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/health/scorer_options.hpp"
#include "brownout/level/level_policy.hpp"
#include "brownout/recovery/retry_after_policy.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// Options of a supervisor. The constructor of the supervisor validates them, and so does `reconfigure`.
template <degradation_level Level>
struct supervisor_options {
  level_policy<Level> levels;  ///< how the level follows the score

  /// How evidence becomes a score. Leave `optional_floor` at 0: `ready_until` sets it.
  scorer_options health{};

  /// The worst level at which the instance still wants requests. Optional dependencies alone never cause a
  /// worse level. Default: every level except the worst one.
  std::optional<Level> ready_until{};

  /// The time over which features return after the level got better: 0 to 1 h, and at most the dwell, so that
  /// all are back before the next step up. Default 0: at once. Use a dwell if the load of all features
  /// together can bring the system down again.
  duration return_over{};

  retry_after_policy retry_after{};  ///< what refused callers are told

  /// The interval of probes while the circuit is closed: 1 ms to 24 h. Default 2 s: of 2 and 10 s it had the
  /// lower sum of seconds in a wrong level and flaps (docs/studies/levels.md).
  duration probe_interval = std::chrono::seconds{2};

  /// The interval of probes after a failed probe while the circuit is closed: 1 ms to `probe_interval`.
  /// Default (left out): a fifth of `probe_interval`. Without calls, ten failures in a row then take less
  /// than three intervals instead of ten.
  duration suspect_interval{};

  /// The share by which each interval of probes is longer or shorter at random: 0 to 0.5. The first probe
  /// comes within this share of an interval, and within a second. Default 0.1: instances that start together
  /// do not probe together for ever.
  double probe_jitter = 0.1;

  /// How soon the level follows real calls between probes: 1 ms to 1 min. Default 100 ms.
  duration refresh = std::chrono::milliseconds{100};

  /// Seed for what is random: the jitter of probes, and the answers of `retry_after`. The same seed gives the
  /// same numbers, for tests. Default 0: another one for each supervisor.
  std::uint64_t seed = 0;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    levels.validate();
    detail::require_within("supervisor_options.probe_interval", probe_interval, 1ms, 24h);
    if (suspect_interval != duration{}) {
      detail::require_within("supervisor_options.suspect_interval", suspect_interval, 1ms, probe_interval);
    }
    detail::require_within("supervisor_options.probe_jitter", probe_jitter, 0.0, 0.5);
    detail::require_within("supervisor_options.refresh", refresh, 1ms, 1min);
    detail::require_within("supervisor_options.return_over", return_over, duration{},
                           (std::min<duration>)(levels.dwell, 1h));
    if (ready_until && !levels.ladder.holds(*ready_until)) {
      detail::invalid_option("supervisor_options.ready_until",
                             std::to_string(static_cast<std::size_t>(*ready_until)), "a level of the ladder");
    }
    retry_after.validate();
    health.validate();
    const auto& evidence = health.component.evidence;
    detail::require_within<std::uint32_t>("evidence_options.minimum_calls of a supervisor",
                                          evidence.minimum_calls, 1, evidence.window);
    if (health.optional_floor > 0) {
      detail::invalid_option("supervisor_options.health.optional_floor",
                             detail::to_text(health.optional_floor), "0: `ready_until` sets it");
    }
  }

  /// `suspect_interval`, or its default.
  [[nodiscard]] duration probe_again_after() const noexcept {
    using namespace std::chrono_literals;
    return suspect_interval != duration{} ? suspect_interval : (std::max<duration>)(probe_interval / 5, 1ms);
  }

  /// The worst level at which the instance wants requests.
  [[nodiscard]] Level last_ready() const noexcept {
    const auto& ladder = levels.ladder;
    if (ready_until) return *ready_until;
    return ladder.size() == 1 ? ladder.best() : ladder.better(ladder.worst());
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
