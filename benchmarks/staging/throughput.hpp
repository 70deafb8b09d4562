// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/report.hpp"

#include <chrono>

namespace staging_load {

/// Measures `/health` of the example server beside the bare server with wrk, in alternating order, and prints
/// each round and the median of their ratios.
void compare_throughput(report& out, int rounds, std::chrono::seconds each);

}  // namespace staging_load
