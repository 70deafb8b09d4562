// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// The latest calls of one epoch in figures.
struct call_statistics {
  std::uint32_t calls = 0;
  std::uint32_t successes = 0;
  duration mean_latency{};  ///< of successes that were timed: a refusal is fast and a time-out is slow
  time_point last{};        ///< when the latest call was seen to have ended; undefined without calls
};

/// How all calls of a dependency ended since it was built, by kind. Each number only grows.
struct call_counts {
  std::uint64_t successful = 0;
  std::uint64_t failed = 0;
  std::uint64_t ignored = 0;   ///< said nothing about the dependency (`outcome::ignored`)
  std::uint64_t slow = 0;      ///< of the successful ones, those that the detector found slow
  std::uint64_t rejected = 0;  ///< refused, and not made
  std::uint64_t late = 0;      ///< ended when the circuit had moved on; counted nowhere else
};

/// How long the successful calls of a dependency took: a histogram as Prometheus defines it. The counts are
/// estimates: a call that was timed stands for those that were not.
struct latency_histogram {
  std::vector<double> bounds{};             ///< upper bounds, in seconds
  std::vector<std::uint64_t> cumulative{};  ///< calls up to each bound; the last one, without a bound: all
  double sum = 0;                           ///< in seconds
};

}  // namespace brownout::inline BROWNOUT_ABI
