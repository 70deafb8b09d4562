// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Hashes keys that strangers may choose: a multilinear hash over 32-bit words, with secret random
/// coefficients.
///
/// Strongly universal: two keys that are chosen without knowledge of the coefficients have the same 32 bits
/// with probability 2^-32, so an attacker cannot construct keys that all land in one place. Its
/// multiplications are independent of each other, so it is as fast as a plain hash. Thread-safe once built.
class key_hash {
 public:
  static constexpr std::size_t longest_key = 128;  ///< bytes

  /// Draws new coefficients. Throws what `std::random_device` throws.
  key_hash() {
    std::random_device source;
    for (auto& one : coefficients_) one = std::uint64_t{source()} << 32 | source();
  }

  /// Precondition: at most `longest_key` bytes.
  [[nodiscard]] std::uint32_t operator()(std::string_view key) const noexcept {
    // The length is hashed too, because keys of different lengths may have the same words.
    auto sum = coefficients_[0] + coefficients_[1] * key.size();
    const auto* next = &coefficients_[2];
    char padded[chunk] = {};
    const char* last = padded;
    if (key.size() < chunk) {
      for (std::size_t i = 0; i < key.size(); ++i) padded[i] = key[i];
    } else {
      last = key.data() + key.size() - chunk;  // some of these bytes are hashed twice
      for (const char* bytes = key.data(); bytes < last; bytes += chunk, next += 2) {
        sum += product(next, bytes);
      }
    }
    return spread(
        static_cast<std::uint32_t>((sum + product(next, last)) >> 32));  // the low half is not universal
  }

 private:
  static constexpr std::size_t chunk = sizeof(std::uint64_t);

  /// The finalizer of MurmurHash3 (Appleby, 2011). It is one to one, so different hashes stay different. The
  /// hashes of similar keys, such as numbered ones, lie on a lattice. Sometimes their low bits are spread
  /// unevenly: in one of a thousand registries of 600 keys, one of the four shards got more than 250 keys.
  static constexpr std::uint32_t spread(std::uint32_t hash) noexcept {
    hash = (hash ^ hash >> 16) * 0x85eb'ca6bU;
    hash = (hash ^ hash >> 13) * 0xc2b2'ae35U;
    return hash ^ hash >> 16;
  }

  static std::uint64_t product(const std::uint64_t* coefficients, const char* bytes) noexcept {
    std::uint64_t read = 0;
    std::memcpy(&read, bytes, chunk);
    return coefficients[0] * (read & 0xffff'ffff) + coefficients[1] * (read >> 32);
  }

  std::array<std::uint64_t, 2 + longest_key / sizeof(std::uint32_t)> coefficients_{};
};

/// A hash of 64 bits: two independent ones of 32. Two keys have the same 64 bits with probability 2^-64.
class wide_key_hash {
 public:
  static constexpr std::size_t longest_key = key_hash::longest_key;  ///< bytes

  /// Precondition: at most `longest_key` bytes.
  [[nodiscard]] std::uint64_t operator()(std::string_view key) const noexcept {
    return std::uint64_t{high_(key)} << 32 | low_(key);
  }

 private:
  key_hash high_{};
  key_hash low_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
