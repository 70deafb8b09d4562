// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace benchmarks {

/// Calls of operator new since the process began, by all threads.
[[nodiscard]] std::uint64_t allocations_so_far() noexcept;

}  // namespace benchmarks
