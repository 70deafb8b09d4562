// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/invalid_option.hpp"

#include <cstdint>

namespace brownout {

/// Trips after `threshold` failures with no success between them.
///
/// The window of this detector is a single counter, which the breaker keeps in its control word: a success on
/// a circuit without failures writes nothing.
struct consecutive_failures {
  static constexpr std::uint32_t most = 1'000'000;

  /// Failures in a row, 1 to 1,000,000. Default 5: what gobreaker trips at (more than five is its wording),
  /// and enough that a dependency with 10 % failures trips once in 100,000 calls.
  std::uint32_t threshold = 5;

  [[nodiscard]] constexpr bool should_trip(std::uint32_t failures) const noexcept {
    return failures >= threshold;
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  constexpr void validate() const {
    detail::require_within<std::uint32_t>("consecutive_failures.threshold", threshold, 1, most);
  }
};

}  // namespace brownout
