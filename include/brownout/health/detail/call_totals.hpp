// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// How calls ended, in numbers that only grow.
struct call_totals {
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t timed = 0;  // of the successes, those whose latency was measured, and those they stand for
  std::uint64_t microseconds = 0;  // that these took in sum; in nanoseconds 300 years of calls would not fit

  [[nodiscard]] constexpr std::uint64_t calls() const noexcept { return successes + failures; }

  constexpr call_totals& operator+=(const call_totals& other) noexcept {
    successes += other.successes;
    failures += other.failures;
    timed += other.timed;
    microseconds += other.microseconds;
    return *this;
  }
  friend constexpr call_totals operator-(const call_totals& one, const call_totals& other) noexcept {
    return {one.successes - other.successes, one.failures - other.failures, one.timed - other.timed,
            one.microseconds - other.microseconds};
  }
  friend constexpr bool operator==(const call_totals&, const call_totals&) = default;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
