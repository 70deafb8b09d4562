// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

inline constexpr std::uint64_t golden_gamma = 0x9e37'79b9'7f4a'7c15U;  // SplitMix64's step

/// The first number of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014) with this seed. If one bit of the seed changes, half of the bits of the number change.
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t seed) noexcept {
  std::uint64_t bits = seed + golden_gamma;
  bits = (bits ^ bits >> 30) * 0xbf58'476d'1ce4'e5b9U;
  bits = (bits ^ bits >> 27) * 0x94d0'49bb'1331'11ebU;
  return bits ^ bits >> 31;
}

/// Random bits as a number in [0, 1), spread evenly. Uses the 53 bits that a double can hold exactly.
[[nodiscard]] constexpr double share_of(std::uint64_t bits) noexcept {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

/// A number in [0, 1) that looks random: the `number`-th of SplitMix64 with this seed, from 0.
[[nodiscard]] constexpr double chance_of(std::uint64_t seed, std::uint64_t number) noexcept {
  return share_of(mixed(seed + number * golden_gamma));
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
