// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace brownout::detail {

/// A number in [0, 1) that looks random: the same for the same seed and number (SplitMix64, Steele et al.,
/// "Fast splittable pseudorandom number generators", OOPSLA 2014).
[[nodiscard]] constexpr double chance_of(std::uint64_t seed, std::uint64_t number) noexcept {
  std::uint64_t mixed = seed + (number + 1) * 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed >> 11) * 0x1p-53;
}

}  // namespace brownout::detail
