// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// UTF-8 by its arithmetic, written apart from the library, which goes by a table of bytes.
namespace fuzz {

struct decoded {
  std::size_t length = 1;  ///< of the character, or of what breaks off
  bool is_character = false;
  std::uint32_t code = 0;
};

/// The first character. If there is none: the longest beginning of one, or a single byte.
[[nodiscard]] inline decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const auto lead = byte(0);
  if (lead < 0x80) return {1, true, lead};
  const std::size_t length = lead >= 0xf8 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  if (length == 0) return {};
  // Which codes may begin with the bytes so far, and whether any of them is a character.
  const std::uint32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  std::uint32_t code = lead & (0x7fU >> length);
  const auto may_be_character = [&](std::size_t bytes_left) {
    const auto first = code << (6 * bytes_left);
    const auto last = first + ((1U << (6 * bytes_left)) - 1);
    const bool are_surrogates = first >= 0xd800 && last <= 0xdfff;
    return last >= least && first <= 0x10ffff && !are_surrogates;
  };
  if (!may_be_character(length - 1)) return {};
  for (std::size_t taken = 1; taken < length; ++taken) {
    if (taken == text.size() || (byte(taken) & 0xc0) != 0x80) return {taken, false, 0};
    code = code << 6 | (byte(taken) & 0x3f);
    if (!may_be_character(length - 1 - taken)) return {taken, false, 0};
  }
  return {length, true, code};
}

[[nodiscard]] inline bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/// The text with U+FFFD in place of control characters, except line feeds, and of what is not UTF-8.
[[nodiscard]] inline std::string replaced(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto one = decode(text);
    const bool stays = one.is_character && (!is_control(one.code) || one.code == '\n');
    out += stays ? text.substr(0, one.length) : "\xef\xbf\xbd";
    text.remove_prefix(one.length);
  }
  return out;
}

}  // namespace fuzz
