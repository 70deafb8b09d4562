// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/open_period.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/detail/share.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// Half-open: a number of calls decides together, by the share of them that failed. Without it each probe
/// decides by itself, and one failed probe opens the circuit again.
///
///     .probes = 10, .probe_rate = {.calls = 10, .failure_threshold = 0.5}
///
/// Use it for a dependency that fails some of its calls even on a good day. Example: with 20 % errors, ten
/// successes in a row are rare, but usually fewer than five of ten calls fail. resilience4j recovers in this
/// way (`permittedNumberOfCallsInHalfOpenState`), and so does Failsafe (`withSuccessThreshold(3, 5)` is
/// `.calls = 5` and `.failure_threshold = 0.6`).
///
/// When `calls` calls have reported, the circuit opens if one of the thresholds is reached. Otherwise it
/// closes, or begins the ramp. Until then no further call passes. A call that was ignored or cancelled gives
/// its place back and does not count. If calls are lost, the lease ends, and a new half-open epoch begins
/// with `calls` new calls.
struct probe_rate_options {
  static constexpr std::uint32_t most_calls = 31;  ///< the most `calls`

  /// Calls that decide.
  /// Range: 1 to 31. Default: 0, which means that there is no rate and each probe decides by itself.
  std::uint32_t calls = 0;

  /// Share of these calls that must fail to open the circuit.
  /// Range: above 0, up to 1; exact as `failure_rate::threshold`. Default: 0.5, as `failure_rate`.
  double failure_threshold = 0.5;

  /// Share of these calls that must be slow to open the circuit. Only for detectors that count slow calls; a
  /// slow failure counts as both.
  /// Range: above 0, up to 1. Default: 0.5, as `slow_call_rate`. Give it the threshold of your detector: a
  /// circuit that closes on slower calls soon opens again.
  double slow_threshold = 0.5;
};

/// Recovery in steps: after the probes, only so many calls at a time, until the dependency has shown that it
/// bears the load.
///
/// The limit of calls in flight rises by one with each success and falls by one with each failure. A failure
/// at a limit of 1 opens the circuit again. So a dependency that fails some of its calls gets as many calls
/// as it bears. The circuit closes after `successes` in a row during which no call was refused, or at a limit
/// of 255.
struct ramp_options {
  static constexpr std::uint32_t left_out = ~std::uint32_t{0};  ///< stands for the default of `first`

  /// Calls that may be in flight at first.
  /// Range: 1 to 254; 0 means no ramp: the probes close the circuit.
  /// Default (`left_out`): 6, part of the policy that was wrong least often (docs/adr/0006). A `dependency`
  /// has no ramp.
  std::uint32_t first = left_out;

  /// Successes in a row that close the circuit.
  /// Range: 1 to 15. Default: 10, from the same policy.
  std::uint32_t successes = 10;
};
/// The circuit closes after its probes, as elsewhere in the field.
inline constexpr ramp_options no_ramp{.first = 0};

/// How a circuit breaker behaves once its detector trips. Validated when the breaker is built.
///
/// The defaults are those that made the fewest wrong decisions in a comparison with the defaults of other
/// libraries; see docs/adr/0006. `open_for`, `successes`, `ramp` and `lease` have other defaults in a
/// `dependency`: see `dependency_options::breaker`.
struct breaker_options {
  static constexpr std::uint32_t most_probes = 255;                   ///< the most `probes`
  static constexpr std::uint32_t most_successes = 255;                ///< the most `successes`
  static constexpr std::size_t longest_name = 128;                    ///< the longest `name`, in bytes
  static constexpr duration shortest_period = open_period::shortest;  ///< the shortest `open_for`
  static constexpr duration longest_period = open_period::longest;    ///< the longest `open_for`
  static constexpr duration default_lease = std::chrono::minutes{1};  ///< the default of `lease`
  /// Retry-After is cut to this length.
  static constexpr duration most_retry_after = std::chrono::minutes{5};

  /// What metrics, logs and errors call this circuit.
  /// Range: up to 128 bytes. Default: empty.
  std::string name{};

  /// How long an opened circuit refuses every call: a duration, or one of the rules `fixed_period`,
  /// `exponential_period`, `decorrelated_period` and `adaptive_period`. The period is longer if the call that
  /// opened the circuit asked for it (see `permit::complete`).
  /// Range of a duration: 1 ms to 24 h.
  /// Default: adaptive, 100 ms to 1 min, each +-20 %. Of all options this one matters most (docs/adr/0006).
  open_period open_for{};

  /// Whether a failure that says how long to wait (its Retry-After, see `retry_after_from`) opens a closed
  /// circuit at once, for at least that long. It then opens a half-open circuit again too, whatever the ramp
  /// or `probe_rate` would allow. A circuit that only measures does not open.
  ///
  /// Default: false. Then the failure counts like any other. The answer may be meant for one key or one
  /// tenant only, and would keep all others out for up to 5 minutes. Set it where all calls share one quota.
  bool open_on_retry_after = false;

  /// Half-open: calls that may be in flight at a time.
  /// Range: 1 to 255. Default: 1, as in Polly, gobreaker and Hystrix.
  std::uint32_t probes = 1;

  /// Half-open: successes that close the circuit, or begin the ramp. Not used with a `probe_rate`.
  /// Range: 1 to 255. 0 means the default.
  /// Default: 3, or `probes` if that is more. With one success, 2.5 times as many decisions about a
  /// dependency that fails 60 % of its calls are wrong. With five, 4 times as many are wrong at 45 %
  /// (docs/studies/client.md).
  std::uint32_t successes = 0;

  /// Half-open: a number of calls decides by its share of failures.
  /// Default: none; the first failed probe opens the circuit.
  probe_rate_options probe_rate{};

  /// After the probes: a limit of calls in flight that rises. `no_ramp` means that the probes close the
  /// circuit.
  /// Default: from 6 calls. All calls at once can knock down a dependency that has just come back.
  ramp_options ramp{};

  /// Half-open, while no further call may pass: how long the calls in flight may stay unreported, counted
  /// from the latest admission. Then these calls count as lost, and a new probe is admitted. A permit that is
  /// destroyed gives its place back at once and needs no lease.
  /// Range: 1 ms to 24 h. It must be longer than a healthy call may take: otherwise results of slower calls
  /// are always late, and under traffic the circuit never closes. 0 means the default.
  /// Default: 1 min, which outlasts the time-outs that clients usually have, or the longest open period if
  /// that is longer: 72 s with the default of `open_for`.
  duration lease{};

  /// A circuit that opens again this soon after it closed is in the same outage: the numbering of its open
  /// periods goes on.
  /// Range: 0 to 24 h. Default: 10 s, part of the policy that was wrong least often (docs/adr/0006).
  duration relapse_within = std::chrono::seconds{10};

  /// Seed for the random jitter of open periods. The same seed gives the same periods, for tests.
  /// Range: any number. 0 means the default.
  /// Default: each breaker picks its own, so that many clients do not probe at the same time.
  std::uint64_t seed = 0;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_name("breaker_options.name", name);
    if (!open_for.is_left_out()) open_for.validate("breaker_options.open_for");
    detail::require_within<std::uint32_t>("breaker_options.probes", probes, 1, most_probes);
    if (successes != 0) {
      detail::require_within<std::uint32_t>("breaker_options.successes", successes, 1, most_successes);
    }
    if (probe_rate.calls != 0) {
      detail::require_within<std::uint32_t>("breaker_options.probe_rate.calls", probe_rate.calls, 1,
                                            probe_rate_options::most_calls);
    }
    detail::require_share("breaker_options.probe_rate.failure_threshold", probe_rate.failure_threshold);
    detail::require_share("breaker_options.probe_rate.slow_threshold", probe_rate.slow_threshold);
    if (ramp.first != ramp_options::left_out) {
      detail::require_within<std::uint32_t>("breaker_options.ramp.first", ramp.first, 0, 254);
    }
    detail::require_within<std::uint32_t>("breaker_options.ramp.successes", ramp.successes, 1, 15);
    if (lease != duration{}) {
      detail::require_within("breaker_options.lease", lease, shortest_period, longest_period);
    }
    detail::require_within("breaker_options.relapse_within", relapse_within, duration{}, longest_period);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
