// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/open_period.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// Recovery in steps: after the probes, only so many calls at a time, until the dependency has shown that it
/// bears the load.
///
/// The limit rises by one with each success and falls by one with each failure; a failure at a limit of 1
/// opens the circuit again. So a dependency that fails some of its calls stays open to as many as it bears.
/// It closes after `successes` in a row while nobody had to be refused, or at a limit of 255.
struct ramp_options {
  std::uint32_t first = 6;       ///< calls in flight at first: 1 to 254; 0: no ramp, the probes close
  std::uint32_t successes = 10;  ///< 1 to 15
};
/// The circuit closes after its probes, as elsewhere in the field.
inline constexpr ramp_options no_ramp{.first = 0};

/// How a circuit breaker behaves once its detector trips. Validated when the breaker is built.
///
/// The defaults are the ones that were wrong least often where the field's were compared; see
/// docs/adr/0006.
struct breaker_options {
  static constexpr std::uint32_t most_probes = 255;
  static constexpr std::uint32_t most_successes = 255;
  static constexpr std::size_t longest_name = 128;
  static constexpr duration shortest_period = open_period::shortest;
  static constexpr duration longest_period = open_period::longest;
  static constexpr duration default_lease = std::chrono::minutes{1};
  static constexpr duration most_retry_after = std::chrono::minutes{5};

  /// What metrics, logs and errors call this circuit; up to 128 bytes.
  std::string name{};

  /// How long an opened circuit refuses every call: a duration of 1 ms to 24 h, or a rule (`fixed_period`,
  /// `exponential_period`, `decorrelated_period`, `adaptive_period`). Default: adaptive, 100 ms to 30 s, each
  /// +-20 %. A period is longer when the call that opened the circuit said so (see `permit::complete`).
  open_period open_for = adaptive_period{};

  /// Whether a failure that says how long to wait (its Retry-After, see `retry_after_from`) opens a closed
  /// circuit at once, for at least that long. Such a failure then ends the ramp too. A failed probe opens the
  /// circuit again with or without this option. A circuit that only measures does not open.
  ///
  /// Default: false. Then the failure counts like any other. The answer may be meant for one key or one
  /// tenant only, and would keep all others out for up to 5 minutes. Set it where all calls share one quota.
  bool open_on_retry_after = false;

  /// Half-open: calls let through at a time, 1 to 255. Default 1, like Polly, gobreaker and Hystrix.
  std::uint32_t probes = 1;

  /// Half-open: successes that close the circuit, or begin the ramp: 1 to 255. Default (zero): 5, or `probes`
  /// if that is more. With one success, 3.6 times as many decisions about a dependency that fails 60 % of its
  /// calls are wrong (docs/studies/client.md).
  std::uint32_t successes = 0;

  ramp_options ramp{};  ///< `no_ramp`: the last probe's success closes the circuit

  /// Half-open: when no further call may pass, how long after the last one was admitted those in flight may
  /// stay unreported. Then they are given up as lost and a fresh probe is admitted. 1 ms to 24 h, and longer
  /// than a healthy call may take: a slower one would come late each time, and under traffic the circuit
  /// would never close. Default (zero): a minute, which outlasts the time-outs that clients usually have, or
  /// the longest open period if that is longer. A permit that is destroyed gives its place back at once and
  /// needs no lease.
  duration lease{};

  /// A circuit that opens again this soon after it closed is in the same outage: the numbering of its open
  /// periods goes on. 0 to 24 h. Default 10 s.
  duration relapse_within = std::chrono::seconds{10};

  /// Of the jitter of open periods. Default (zero): another one for each breaker.
  std::uint64_t seed = 0;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    if (name.size() > longest_name) {
      detail::invalid_option("breaker_options.name", name.substr(0, longest_name) + "...", "up to 128 bytes");
    }
    open_for.validate("breaker_options.open_for");
    detail::require_within<std::uint32_t>("breaker_options.probes", probes, 1, most_probes);
    if (successes != 0) {
      detail::require_within<std::uint32_t>("breaker_options.successes", successes, 1, most_successes);
    }
    detail::require_within<std::uint32_t>("breaker_options.ramp.first", ramp.first, 0, 254);
    detail::require_within<std::uint32_t>("breaker_options.ramp.successes", ramp.successes, 1, 15);
    if (lease != duration{}) {
      detail::require_within("breaker_options.lease", lease, shortest_period, longest_period);
    }
    detail::require_within("breaker_options.relapse_within", relapse_within, duration{}, longest_period);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
