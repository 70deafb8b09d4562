// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "harness/scenario.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace benchmarks {

/// Nanoseconds for one operation, from a whole batch; nothing when the batch was disturbed.
using cost = std::optional<double>;

/// One batch on the calling thread.
struct timed_batch {
  std::chrono::steady_clock::time_point began{};
  std::chrono::steady_clock::time_point ended{};
  bool disturbed = false;  ///< the operating system took the processor away meanwhile
};

/// Batches are so short that they are seldom disturbed even on a busy machine, and throwing one away costs
/// little.
[[nodiscard]] timed_batch run_timed(batch run, std::uint64_t times);

[[nodiscard]] cost time_batch(batch run, std::uint64_t times);

/// How many operations make a batch of about 0.2 ms: far above what reading the time costs, far below a time
/// slice.
[[nodiscard]] std::uint64_t operations_for_a_batch(batch run);

}  // namespace benchmarks
