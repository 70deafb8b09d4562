// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace studies {

/// Virtual time, from the beginning of a run.
using nanoseconds = std::chrono::nanoseconds;

/// How a dependency does from `begins` until the next phase.
struct phase {
  nanoseconds begins{};
  double fails_first = 0;     ///< probability that a call fails, at the beginning of the phase
  double fails_last = 0;      ///< and at its end; linear between
  double fast_share = 1;      ///< share of the failures that come at once
  double timeout_share = 0;   ///< share of them that are time-outs; the rest takes as long as a success
  double latency_factor = 1;  ///< how many times longer a success takes than when all is well

  static constexpr double unlimited = std::numeric_limits<double>::infinity();
  /// Share of the wanted calls that the dependency could bear, at the beginning and at the end; linear
  /// between. What it is given beyond that times out, or fails at once.
  double capacity_first = unlimited;
  double capacity_last = unlimited;
  bool sheds_load = false;  ///< fails at once

  /// The dependency stands still, as in a long garbage collection. It answers what it was asked when the
  /// phase is over.
  bool stands_still = false;
};

/// A dependency that is cold from `begins` on, and warms up only by the calls that it is given.
struct cold_start {
  nanoseconds begins{};
  double failures = 0;     ///< probability that a call fails while the dependency is cold
  nanoseconds warms_up{};  ///< how long all wanted calls would take to warm it up
};

/// Callers who try again when a call has failed or was refused, each time after twice the pause.
struct repeated_calls {
  int attempts = 1;  ///< how often a caller tries at most
  nanoseconds pause{};
};

/// What happens to a dependency in one run: phases in order, the first at 0, the last up to `length`.
struct truth {
  static constexpr nanoseconds length = std::chrono::minutes{10};
  std::vector<phase> phases{};
  cold_start cold{};
  repeated_calls repeated{};
};

/// Which traces a figure is a mean over.
enum class trace_group : std::uint8_t {
  listed,    ///< those of the published comparison
  extra,     ///< further ones, which were looked at while the default policy was tuned
  held_out,  ///< never looked at while tuning: they show whether the ranking holds elsewhere
};
inline constexpr std::array all_groups{trace_group::listed, trace_group::extra, trace_group::held_out};

constexpr std::string_view name_of(trace_group group) {
  constexpr std::array<std::string_view, all_groups.size()> names{"listed", "extra", "held-out"};
  return names[static_cast<std::size_t>(group)];
}

/// One kind of trouble. Its durations differ from seed to seed by up to 30 % either way.
struct trace {
  std::string_view name{};
  std::string_view what_happens{};
  trace_group group = trace_group::listed;
  std::vector<double> calls_per_second{};
  truth (*of)(std::uint64_t seed) = nullptr;
};

[[nodiscard]] const std::vector<trace>& all_traces();

}  // namespace studies
