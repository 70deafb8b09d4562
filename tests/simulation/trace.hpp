// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

/// What happened in a simulation, as one number: two runs with the same number did the same.
class trace {
 public:
  /// FNV-1a, eight bytes at a time.
  void note(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) {
      hash_ = (hash_ ^ (value >> 8 * i & 0xff)) * 0x100000001B3u;
    }
    ++events_;
  }
  void note(std::string_view text) {
    for (const char one : text) note(static_cast<std::uint64_t>(static_cast<unsigned char>(one)));
  }

  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325u;
  std::uint64_t events_ = 0;
};
