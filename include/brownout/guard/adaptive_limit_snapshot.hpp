// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/guard/call_priority.hpp"
#include "brownout/guard/limit_change.hpp"
#include "brownout/version.hpp"

#include <array>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// What an adaptive limit shows. `limit` and `in_flight` are of one moment. The totals are exact when no
/// thread uses the limit.
struct adaptive_limit_snapshot {
  std::uint32_t limit = 0;      ///< calls that may be in flight
  std::uint32_t in_flight = 0;  ///< calls in flight; more than `limit` for a while after it has fallen
  std::uint32_t least = 0;      ///< the limit never falls below this
  std::uint32_t most = 0;       ///< the limit never rises above this

  std::uint64_t admitted = 0;       ///< calls that got a permit
  std::uint64_t limit_reached = 0;  ///< calls of any class that were refused at the limit
  /// Calls that were refused below the limit, by class.
  std::array<std::uint64_t, call_priority_count> shed{};

  limit_change last_change{};           ///< the latest change and why; its number is the count of changes
  std::uint64_t listener_failures = 0;  ///< how many times a listener threw
};

}  // namespace brownout::inline BROWNOUT_ABI
