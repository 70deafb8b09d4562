// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// The latest calls of one epoch in figures.
struct call_statistics {
  std::uint32_t calls = 0;
  std::uint32_t successes = 0;
  duration mean_latency{};  ///< of successes that were timed: a refusal is fast and a time-out is slow
  time_point last{};        ///< when the latest call was seen to have ended; undefined without calls
};

}  // namespace brownout::inline BROWNOUT_ABI
