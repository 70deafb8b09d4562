// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <string>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Eight times the error of a `float` near 1.
inline constexpr double share_tolerance = 2.5e-7;

/// Whether `bad` of `calls` are at least the share `threshold`.
///
/// A share in floating point is seldom exact: `0.6F` is 0.60000002, `70 * 0.01` is 0.7000000000000001. In a
/// direct comparison, 6 of 10 calls would be less than `0.6F`. On 32-bit x86, which computes with more digits
/// than it stores, they would also be less than `0.6`. So the share is lowered by `share_tolerance` and cut
/// to whole billionths, and integers decide:
///
///     bad / calls >= least / 1e9    becomes    bad * 1e9 >= least * calls
///
/// The count at which a share is reached is exact for up to a million calls, because one call is then a
/// bigger step than the tolerance. For more calls the count may be too low by one call in four million.
[[nodiscard]] constexpr bool reaches(std::uint64_t bad, std::uint64_t calls, double threshold) noexcept {
  const double lowered = (threshold - share_tolerance) * 1e9;
  const auto least = lowered > 0 ? static_cast<std::uint64_t>(lowered) : 0;
  return bad * 1'000'000'000 >= least * calls;
}
static_assert(reaches(6, 10, 0.6) && !reaches(5, 10, 0.6) && reaches(2, 3, 2.0 / 3));
static_assert(reaches(6, 10, 0.60000002384185791) && reaches(7, 10, 70 * 0.01));
static_assert(reaches(1'000'000, 1'000'000, 1) && !reaches(999'999, 1'000'000, 1));

/// Accepts a share in (0, 1] and refuses any other number. Accepts a share that is above 1 by a rounding
/// error.
inline void require_share(const std::string& field, double share) {
  if (share > 0 && share <= 1 + share_tolerance) return;  // written so that NaN is refused too
  invalid_option(field, to_text(share), "above 0, up to 1");
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
