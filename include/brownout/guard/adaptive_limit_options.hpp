// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/guard/call_priority.hpp"
#include "brownout/version.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// How an `adaptive_limit` finds its limit. Validated when the limit is built.
///
/// Say either `target_delay` or `latency_budget`. There is no default: only you know whether calls wait in
/// this process for a worker, or in the dependency.
struct adaptive_limit_options {
  static constexpr std::size_t longest_name = 128;  ///< the longest `name`, in bytes
  static constexpr duration shortest_delay =
      std::chrono::microseconds{100};  ///< the shortest `target_delay` and `latency_budget`
  static constexpr duration longest_delay =
      std::chrono::hours{1};  ///< the longest `target_delay` and `latency_budget`
  static constexpr std::uint32_t most_in_flight = 1'000'000;             ///< the highest `most` and `first`
  static constexpr double lowest_share = 0.01;                           ///< the lowest of `shares`
  static constexpr duration longest_shed_for = std::chrono::minutes{5};  ///< the longest `shed_for`

  /// What metrics and errors call this limit.
  /// Range: up to 128 bytes. Default: empty.
  std::string name{};

  /// For servers: how long a call may wait in this process before a worker begins it (`permit::started`). The
  /// limit falls when every call of a window waited longer, so a dependency that answers slowly does not
  /// lower the limit as long as no work waits for a worker.
  /// Range: 100 us to 1 h. Default: none. 5 ms, as in CoDel, is a start. With 20 ms, as in DAGOR, as many
  /// calls are answered, and the p99 of their latency is 12 % higher.
  duration target_delay{};

  /// For clients: how long a call may take. The limit falls when more than a tenth of the successful calls of
  /// a window took longer.
  /// Range: 100 us to 1 h. Default: none.
  duration latency_budget{};

  /// The limit at first.
  /// Range: 1 to 1,000,000; a value outside of `least` to `most` becomes the nearer one of them.
  /// Default: 20, as in Netflix's concurrency-limits and in failsafe-go.
  std::uint32_t first = 20;

  /// The lowest limit.
  /// Range: 1 to `most`. Default: 1, so that the limit can never lock its calls out.
  std::uint32_t least = 1;

  /// The highest limit.
  /// Range: `least` to 1,000,000. Default: 1000, as in Netflix's concurrency-limits.
  std::uint32_t most = 1000;

  /// The share of the limit below which calls of a class are admitted, from the highest class to the lowest:
  /// `critical_plus`, `critical`, `sheddable_plus`, `sheddable`.
  /// Range: 0.01 to 1 each, and no share is greater than the one before. Default: {1, 0.85, 0.7, 0.55}.
  /// At 1.5 times the load that fits, 100, 99, 55 and 2 % of the calls of the four classes then succeed
  /// (docs/studies/guards.md).
  std::array<double, call_priority_count> shares{1, 0.85, 0.7, 0.55};

  /// What a call that is shed for its class is told to wait: this long, and up to as long again at random, so
  /// that callers do not come back at the same moment.
  /// Range: 1 ms to 5 min. Default: 1 s, the shortest time that a Retry-After header can tell.
  duration shed_for = std::chrono::seconds{1};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_name("adaptive_limit_options.name", name);
    const bool by_latency = latency_budget != duration{};
    if (by_latency && target_delay != duration{}) {
      detail::invalid_option("adaptive_limit_options.latency_budget", detail::to_text(latency_budget),
                             "none beside a target_delay");
    }
    detail::require_within(
        by_latency ? "adaptive_limit_options.latency_budget" : "adaptive_limit_options.target_delay",
        by_latency ? latency_budget : target_delay, shortest_delay, longest_delay);
    detail::require_within<std::uint32_t>("adaptive_limit_options.most", most, 1, most_in_flight);
    detail::require_within<std::uint32_t>("adaptive_limit_options.least", least, 1, most);
    detail::require_within<std::uint32_t>("adaptive_limit_options.first", first, 1, most_in_flight);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      detail::require_within("adaptive_limit_options.shares[" + std::to_string(i) + "]", shares[i],
                             lowest_share, i == 0 ? 1.0 : shares[i - 1]);
    }
    detail::require_within("adaptive_limit_options.shed_for", shed_for,
                           duration{std::chrono::milliseconds{1}}, longest_shed_for);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
