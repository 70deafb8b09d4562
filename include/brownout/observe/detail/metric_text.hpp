// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/version.hpp"

#include <cstddef>
#include <string>
#include <string_view>

// What each sink does with names and texts.
namespace brownout::inline BROWNOUT_ABI::detail {

/// A piece of a text: a character, or bytes that are none.
struct text_piece {
  std::size_t length = 1;
  bool printable = false;  ///< a character of UTF-8 that is no control character, or a line feed
};

/// The first piece of a text that is not empty. Bytes that are not UTF-8 are cut as the Unicode standard
/// recommends (section 3.9, "maximal subpart"): a sequence that breaks off is one piece.
[[nodiscard]] constexpr text_piece first_piece(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) return {1, (lead >= 0x20 && lead != 0x7f) || lead == '\n'};
  // Table 3-7 of the standard: the length, and the bounds of the second byte.
  std::size_t length = 1;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;   // shorter forms exist
    if (lead == 0xed) high = 0x9f;  // surrogates
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;  // above U+10FFFF
  } else {
    return {1, false};
  }
  std::size_t taken = 1;
  for (; taken < length && taken < text.size() && byte(taken) >= low && byte(taken) <= high; ++taken) {
    low = 0x80;
    high = 0xbf;
  }
  const bool is_control = lead == 0xc2 && taken == 2 && byte(1) < 0xa0;
  return {taken, taken == length && !is_control};
}

/// The text with U+FFFD in place of each control character, except line feeds, and of bytes that are not
/// UTF-8. Prometheus refuses the whole page for one byte that is not UTF-8.
[[nodiscard]] inline std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto piece = first_piece(text);
    out += piece.printable ? text.substr(0, piece.length) : "\xef\xbf\xbd";
    text.remove_prefix(piece.length);
  }
  return out;
}

[[nodiscard]] constexpr bool is_metric_name(std::string_view name, bool with_colons = true) noexcept {
  const auto may_begin = [with_colons](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c == ':' && with_colons);
  };
  if (name.empty() || !may_begin(name.front())) return false;
  for (const char c : name) {
    if (!may_begin(c) && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

[[nodiscard]] constexpr bool is_label_name(std::string_view name) noexcept {
  return is_metric_name(name, false);
}

/// Checks all labels of a sample.
inline void check_labels(metric_labels all) {
  for (const auto& label : all) {
    BROWNOUT_PRECONDITION(is_label_name(label.name), "a label's name is [a-zA-Z_][a-zA-Z0-9_]*");
    int times = 0;
    for (const auto& other : all) times += other.name == label.name ? 1 : 0;
    BROWNOUT_PRECONDITION(times == 1, "two labels of a sample have the same name");
  }
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
