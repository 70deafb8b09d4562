// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// A text of at most `most` bytes. It is stored in the object, so that it can be copied without allocating. A
/// longer text is cut between two characters of UTF-8.
class bounded_text {
 public:
  /// The most bytes of a text. Longer texts are cut.
  static constexpr std::size_t most = 119;  // 120 with its length

  constexpr bounded_text() noexcept = default;
  /// As much of `text` as fits.
  explicit constexpr bounded_text(std::string_view text) noexcept {
    auto kept = (std::min)(text.size(), most);
    if (kept < text.size()) {
      auto cut = kept;
      while (kept - cut < longest_tail && is_inside_character(text[cut])) --cut;
      if (!is_inside_character(text[cut])) kept = cut;  // otherwise it is not UTF-8
    }
    std::copy_n(text.begin(), kept, bytes_.begin());
    size_ = static_cast<std::uint8_t>(kept);
  }

  /// Valid as long as this object is.
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {bytes_.data(), size_}; }
  /// Whether there is no text.
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }

  friend constexpr bool operator==(const bounded_text&, const bounded_text&) = default;

 private:
  static constexpr std::size_t longest_tail = 3;  // a character has four bytes at most

  static constexpr bool is_inside_character(char byte) noexcept {
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
  }

  std::array<char, most> bytes_{};
  std::uint8_t size_ = 0;
};

}  // namespace brownout::inline BROWNOUT_ABI
