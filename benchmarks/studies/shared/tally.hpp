// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace studies {

/// What is counted in one run.
struct tally {
  std::uint64_t calls_while_bad = 0;
  std::uint64_t calls_while_good = 0;
  std::uint64_t failures_let_through = 0;  ///< while bad
  std::uint64_t refused_while_good = 0;
  std::uint64_t requests = 0;  ///< what callers wanted; calls without those that were tried again
  std::uint64_t answered = 0;  ///< of these, those that got a good answer, at whatever attempt

  [[nodiscard]] std::uint64_t calls() const { return calls_while_bad + calls_while_good; }
};

}  // namespace studies
