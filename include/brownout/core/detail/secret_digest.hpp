// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A digest of 128 bits of a text of any length: SipHash-2-4-128 (Aumasson and Bernstein) with a secret key.
///
/// It is a pseudo-random function: without the secret, a text with a given digest can only be found by trying
/// 2^128 texts, even if many digests are known. Thread-safe once built.
class secret_digest {
 public:
  struct value {
    std::uint64_t low;
    std::uint64_t high;
  };

  /// Draws a new secret. Throws what `std::random_device` throws.
  secret_digest() : secret_digest{drawn(), drawn()} {}
  constexpr secret_digest(std::uint64_t low, std::uint64_t high) noexcept : low_{low}, high_{high} {}

  [[nodiscard]] constexpr value operator()(std::string_view text) const noexcept {
    state mixed{0x736f'6d65'7073'6575U ^ low_, 0x646f'7261'6e64'6f6dU ^ high_ ^ 0xeeU,
                0x6c79'6765'6e65'7261U ^ low_, 0x7465'6462'7974'6573U ^ high_};
    auto rest = text;
    for (; rest.size() >= sizeof(std::uint64_t); rest.remove_prefix(sizeof(std::uint64_t))) {
      mixed.absorb(word_of(rest.substr(0, sizeof(std::uint64_t))));
    }
    mixed.absorb(word_of(rest) | std::uint64_t{text.size()} << 56);
    mixed.c ^= 0xeeU;
    const auto low = mixed.squeezed();
    mixed.b ^= 0xddU;
    return {low, mixed.squeezed()};
  }

 private:
  struct state {
    std::uint64_t a, b, c, d;

    constexpr void round() noexcept {
      a += b;
      b = std::rotl(b, 13) ^ a;
      a = std::rotl(a, 32);
      c += d;
      d = std::rotl(d, 16) ^ c;
      a += d;
      d = std::rotl(d, 21) ^ a;
      c += b;
      b = std::rotl(b, 17) ^ c;
      c = std::rotl(c, 32);
    }
    constexpr void absorb(std::uint64_t word) noexcept {
      d ^= word;
      for (int i = 0; i < 2; ++i) round();
      a ^= word;
    }
    constexpr std::uint64_t squeezed() noexcept {
      for (int i = 0; i < 4; ++i) round();
      return a ^ b ^ c ^ d;
    }
  };

  /// Up to 8 bytes as a number, the first byte lowest.
  static constexpr std::uint64_t word_of(std::string_view bytes) noexcept {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    }
    return word;
  }

  static std::uint64_t drawn() {
    std::random_device source;
    return std::uint64_t{source()} << 32 | source();
  }

  std::uint64_t low_;
  std::uint64_t high_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
