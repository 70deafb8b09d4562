// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/options.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/recovery/recovery_predictor.hpp"
#include "brownout/system/call_limit.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/version.hpp"

#include <bit>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// What a dependency is called, how much it matters, how its circuit recovers, and how it is probed.
struct dependency_options {
  /// The greatest `timed_one_in`.
  static constexpr std::uint32_t most_seldom_timed = 65536;

  std::string name;   ///< name in metrics, logs and status pages: 1 to 128 bytes, unique in the system
  double weight = 1;  ///< share in the health score, relative to the other weights: 0 to 1e9; default 1

  /// Whether the service can do without it. Default: standard. Criticality is not weight: a required
  /// dependency caps the level, and optional ones never make the system unready.
  brownout::criticality criticality = brownout::criticality::standard;

  /// Names of other dependencies that this one needs. While one of them is unwell, the score of this one is
  /// lowered. Default: none.
  std::vector<std::string> depends_on{};

  /// How its circuit recovers. Leave `name` empty: it is taken from above. An option that is left out has the
  /// default of a dependency, which differs from that of a `circuit_breaker` in four places:
  ///
  /// - `open_for`: adaptive, up to 3 s with a probe, up to 30 s without one. A feature that is off makes no
  ///   calls, so nothing but the time ends the period. With a probe, a period that ends costs no user
  ///   anything. Without one, calls of users find out, and the level rises for them first.
  /// - `successes`: 5 with a probe, 3 without one, or as many as `probes` if these are more. The probes of a
  ///   half-open circuit follow each other at once, so five of them take little longer than three.
  /// - `ramp`: none. `supervisor_options::return_over` can bring features back one after another instead.
  /// - `lease`: twice `timeout`, or the longest open period if that is longer.
  breaker_options breaker{};

  /// Asks the dependency whether it is well. Default (empty): only real calls give evidence. A feature that
  /// is switched off makes no calls, so give a probe to each dependency that can lower the level alone.
  brownout::probe probe{};

  duration timeout = std::chrono::seconds{5};  ///< deadline of a probe: 1 ms to 1 h; default 5 s

  /// Returns what the service itself measures about the dependency, for example the share of a connection
  /// pool in use. It is called at each step on the stepping thread, with no lock held, and must return soon.
  /// Default (empty): only calls give evidence. An exception counts as no measurement.
  std::function<measurement()> measure{};

  /// The bulkhead or the adaptive limit around its calls, which must outlive the supervisor. A call that it
  /// refuses counts as a failed one for the health: at 40 % refused the score is 60 at most. The share is the
  /// mean of the latest 10 s. So a limit that is full for a moment costs little. A limit that is full and
  /// refuses no call costs nothing. Default: none; refusals then do not show in the health.
  call_limit limited_by{};

  recovery_options recovery{};  ///< how many of its outages are remembered for predictions

  /// Of how many calls one is timed, for its latency in the score and in metrics. While there are few calls,
  /// each is timed. Range: 1 (each call), a power of two up to 65536, or 0 (none). Default 16: two readings
  /// of a precise clock cost more than the rest of a call.
  std::uint32_t timed_one_in = 16;

  /// Throws `std::invalid_argument` naming dependency, field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    if (name.empty()) detail::invalid_option("dependency_options.name", "''", "a name");
    if (name.size() > breaker_options::longest_name) {
      detail::invalid_option("length of dependency_options.name", std::to_string(name.size()),
                             "1 to " + std::to_string(breaker_options::longest_name) + " bytes");
    }
    detail::require_within("dependency_options.timeout of " + name, timeout, 1ms, 1h);
    detail::require_within("dependency_options.weight of " + name, weight, 0.0, scorer::most_weight);
    if (timed_one_in > most_seldom_timed || (timed_one_in != 0 && !std::has_single_bit(timed_one_in))) {
      detail::invalid_option("dependency_options.timed_one_in of " + name, std::to_string(timed_one_in),
                             "0, or a power of two up to " + std::to_string(most_seldom_timed));
    }
    detail::validate_for("dependency " + name, [&] {
      if (!breaker.name.empty() && breaker.name != name) {
        detail::invalid_option("breaker_options.name", "'" + breaker.name + "'",
                               "none: it is the name of the dependency");
      }
      breaker.validate();
      recovery.validate();
    });
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
