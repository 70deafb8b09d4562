// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace brownout::detail {

/// Hashes keys that strangers may choose: a multilinear hash over 32-bit words, with secret random
/// coefficients.
///
/// Strongly universal: whoever picks two keys without knowing the coefficients finds them equal in 32 bits
/// with probability 2^-32, so keys can't be made up that all land in one place. Independent multiplications,
/// so it is as quick as a plain hash. Thread-safe once built.
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
    // The length is a word too: keys that differ only in trailing zero bytes differ.
    auto sum = coefficients_[words] + coefficients_[words + 1] * key.size();
    std::size_t word = 0;
    while (key.size() >= sizeof(std::uint32_t)) {
      sum += coefficients_[word++] * read(key, sizeof(std::uint32_t));
      key.remove_prefix(sizeof(std::uint32_t));
    }
    sum += coefficients_[word] * read(key, key.size());
    return static_cast<std::uint32_t>(sum >> 32);  // the low half is not universal
  }

 private:
  static constexpr std::size_t words = longest_key / sizeof(std::uint32_t) + 1;

  static std::uint64_t read(std::string_view key, std::size_t bytes) noexcept {
    std::uint32_t word = 0;
    if (bytes != 0) std::memcpy(&word, key.data(), bytes);
    return word;
  }

  std::array<std::uint64_t, words + 2> coefficients_;
};

}  // namespace brownout::detail
