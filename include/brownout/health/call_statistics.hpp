// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// The latest calls of one epoch in figures.
struct call_statistics {
  std::uint32_t calls = 0;      ///< calls that ended and were judged as success or failure
  std::uint32_t successes = 0;  ///< those of them that succeeded
  duration mean_latency{};      ///< of successes that were timed: a refusal is fast and a time-out is slow
  time_point last{};            ///< when the latest call was seen to have ended; undefined without calls
};

/// How all calls of a dependency ended since it was built, by kind. Each number only grows.
struct call_counts {
  std::uint64_t successful = 0;  ///< judged as success, slow ones among them
  std::uint64_t failed = 0;      ///< judged as failure
  std::uint64_t ignored = 0;     ///< said nothing about the dependency (`outcome::ignored`)
  std::uint64_t slow = 0;        ///< of the successful ones, those that the detector found slow
  std::uint64_t rejected = 0;    ///< refused, and not made
  std::uint64_t late = 0;        ///< ended when the circuit had moved on; counted nowhere else
};

}  // namespace brownout::inline BROWNOUT_ABI
