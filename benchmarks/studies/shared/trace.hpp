// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
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
};

/// What happens to a dependency in one run: phases in order, the first at 0, the last up to `length`.
struct truth {
  static constexpr nanoseconds length = std::chrono::minutes{10};
  std::vector<phase> phases{};
};

/// Which traces a figure is a mean over.
enum class trace_group : std::uint8_t {
  listed,  ///< those of the published comparison
  extra,   ///< ours, to see whether the ranking holds elsewhere
};

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
