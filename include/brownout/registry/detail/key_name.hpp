// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/secret_digest.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The name of a long key in a registry: the first bytes of the key, dots, and a digest of the whole key in
/// 32 hexadecimal digits. A character of UTF-8 is not split.
///
/// It has 128 bytes. The name of a key of fewer bytes is the key itself. So only two long keys can have the
/// same name, if they have the same beginning and the same digest.
class key_name {
 public:
  // In bytes.
  static constexpr std::size_t length = 128;
  static constexpr std::size_t longest_plain_key = length - 1;
  static constexpr std::size_t digest_digits = 32;
  static constexpr std::size_t longest_beginning = length - digest_digits - 3;
  static constexpr std::size_t shortest_beginning = longest_beginning - 3;

  /// Precondition: the key is longer than `longest_plain_key`.
  constexpr key_name(std::string_view key, secret_digest::value digest) noexcept {
    auto* const dots = std::copy_n(key.data(), kept(key), bytes_.data());
    auto* const digits = bytes_.data() + length - digest_digits;
    std::fill(dots, digits, '.');
    for (int i = 0; i < 16; ++i) {
      digits[i] = digit(digest.high >> (60 - 4 * i));
      digits[16 + i] = digit(digest.low >> (60 - 4 * i));
    }
  }

  /// Valid as long as this object is.
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }

 private:
  static constexpr std::size_t kept(std::string_view key) noexcept {
    auto size = longest_beginning;
    while (size > shortest_beginning && (static_cast<unsigned char>(key[size]) & 0xc0) == 0x80) --size;
    return size;
  }
  static constexpr char digit(std::uint64_t bits) noexcept { return "0123456789abcdef"[bits & 0xf]; }

  std::array<char, length> bytes_{};
};

/// A key with its hash. The name of a long key stands for the key.
struct hashed_key {
  std::string_view text;
  std::uint32_t hash;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
