// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstdint>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// A histogram as Prometheus defines it, at one moment.
struct histogram_snapshot {
  std::vector<double> bounds{};  ///< upper bounds, rising
  std::vector<std::uint64_t>
      cumulative{};  ///< values up to each bound; one more, without a bound: all of them
  double sum = 0;    ///< of all values
};

}  // namespace brownout::inline BROWNOUT_ABI
