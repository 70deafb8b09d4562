// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/invalid_option.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace brownout {

/// How a circuit breaker behaves once its detector trips. Validated when the breaker is built.
struct breaker_options {
  static constexpr std::uint32_t most_probes = 255;
  static constexpr std::size_t longest_name = 128;
  static constexpr duration shortest_period = std::chrono::milliseconds{1};
  static constexpr duration longest_period = std::chrono::hours{24};
  static constexpr duration default_lease = std::chrono::minutes{1};

  /// What metrics, logs and errors call this circuit; up to 128 bytes.
  std::string name{};

  /// How long an opened circuit refuses every call: 1 ms to 24 h. Default 30 s, the middle of what the field
  /// uses (Polly and Hystrix 5 s, opossum 30 s, resilience4j and gobreaker 60 s).
  duration open_for = std::chrono::seconds{30};

  /// Half-open: calls let through at most, and successes needed to close: 1 to 255. Default 1, like Polly,
  /// gobreaker and Hystrix.
  std::uint32_t probes = 1;

  /// Half-open: when all probes are taken, how long after the last one was admitted they may stay unreported.
  /// Then they are given up as lost and a fresh probe is admitted. 1 ms to 24 h, and longer than a healthy
  /// call may take: a slower one would come late each time, and under traffic the circuit would never close.
  /// Default (zero): a minute, which outlasts the time-outs that clients usually have, or `open_for` if that
  /// is longer. A permit that is destroyed gives its place back at once and needs no lease.
  duration lease{};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    if (name.size() > longest_name) {
      detail::invalid_option("breaker_options.name", name.substr(0, longest_name) + "...", "up to 128 bytes");
    }
    detail::require_within("breaker_options.open_for", open_for, shortest_period, longest_period);
    detail::require_within<std::uint32_t>("breaker_options.probes", probes, 1, most_probes);
    if (lease != duration{}) {
      detail::require_within("breaker_options.lease", lease, shortest_period, longest_period);
    }
  }
};

}  // namespace brownout
