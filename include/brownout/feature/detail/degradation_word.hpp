// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/version.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Level, refusing circuits, returning features and epoch in one word, so that a request sees them together.
///
/// - Bits 0 to 31: the dependencies whose circuit refuses calls.
/// - Bits 32 to 47: the level in force, one bit each; while features return, the level that they return from
///   as well.
/// - Bits 48 to 53: the share of them that has returned, in 64ths.
/// - Bits 54 to 63: the epoch.
///
/// One bit for each level, so that one `and` with a feature's mask tells whether anything forbids it.
class alignas(8) degradation_word {
 public:
  static constexpr std::size_t most_levels = 16;
  static constexpr std::uint32_t whole_share = 64;
  static constexpr std::uint32_t epochs = 1024;

  /// The best level, no circuit refuses, epoch 0.
  constexpr degradation_word() noexcept = default;

  /// Precondition: `level` is below 16.
  constexpr degradation_word(std::size_t level, dependency_set refusing, std::uint32_t epoch = 0) noexcept
      : bits_{refusing.bits() | bit_of(level) | std::uint64_t{epoch % epochs} << 54} {}

  /// This word while `share` 64ths (0 to 63) of the features that `from` does not allow have returned.
  /// Precondition: `from` is worse than the level and below 16.
  [[nodiscard]] constexpr degradation_word returning(std::size_t from, std::uint32_t share) const noexcept {
    BROWNOUT_PRECONDITION(from > level() && share < whole_share,
                          "degradation_word: features return from a worse level, a share at a time");
    degradation_word word = *this;
    word.bits_ |= bit_of(from) | std::uint64_t{share} << 48;
    return word;
  }
  /// This word with another epoch.
  [[nodiscard]] constexpr degradation_word in_epoch(std::uint32_t epoch) const noexcept {
    degradation_word word = *this;
    word.bits_ = (bits_ & ~(std::uint64_t{epochs - 1} << 54)) | std::uint64_t{epoch % epochs} << 54;
    return word;
  }

  [[nodiscard]] constexpr dependency_set refusing() const noexcept {
    return dependency_set{static_cast<std::uint32_t>(bits_)};
  }
  /// The level in force.
  [[nodiscard]] constexpr std::size_t level() const noexcept {
    return static_cast<std::size_t>(std::countr_zero(bits_ >> 32));
  }
  /// The level that features return from. The level in force when no feature returns.
  [[nodiscard]] constexpr std::size_t returning_from() const noexcept {
    return 63 - static_cast<std::size_t>(std::countl_zero((bits_ >> 32) & 0xffff));
  }
  [[nodiscard]] constexpr std::uint32_t returned_share() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> 48) % whole_share;
  }
  /// Grows with every change, modulo 1024. It tells two words apart and does not order them.
  [[nodiscard]] constexpr std::uint32_t epoch() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> 54);
  }

  /// Whether a mask of dependencies (bits 0-31) and levels (bits 32-47) holds any that refuses or is in
  /// force.
  [[nodiscard]] constexpr bool meets(std::uint64_t mask) const noexcept { return (bits_ & mask) != 0; }

  friend constexpr bool operator==(degradation_word, degradation_word) noexcept = default;

  /// A level's bit in such a mask. Precondition: it is below 16.
  [[nodiscard]] static constexpr std::uint64_t bit_of(std::size_t level) noexcept {
    BROWNOUT_PRECONDITION(level < most_levels, "degradation_word: a level's number is 0 to 15");
    return std::uint64_t{1} << (32 + level);
  }

 private:
  std::uint64_t bits_ = bit_of(0);
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
