// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

/// Text as configuration values are made of it. The classes of `<cctype>` depend on the locale; these don't.
namespace staging::text {

[[nodiscard]] constexpr bool is_digit(char symbol) noexcept {
  return symbol >= '0' && symbol <= '9';
}
[[nodiscard]] constexpr bool is_lower(char symbol) noexcept {
  return symbol >= 'a' && symbol <= 'z';
}
[[nodiscard]] constexpr bool is_upper(char symbol) noexcept {
  return symbol >= 'A' && symbol <= 'Z';
}
[[nodiscard]] constexpr bool is_alphanumeric(char symbol) noexcept {
  return is_digit(symbol) || is_lower(symbol) || is_upper(symbol);
}
[[nodiscard]] constexpr bool is_visible(char symbol) noexcept {
  return symbol > ' ' && symbol < '\x7f';
}
[[nodiscard]] constexpr bool is_control(char symbol) noexcept {
  const auto code = static_cast<unsigned char>(symbol);
  return code < 0x20 || code == 0x7f;
}

[[nodiscard]] constexpr char lower(char symbol) noexcept {
  return is_upper(symbol) ? static_cast<char>(symbol - 'A' + 'a') : symbol;
}
[[nodiscard]] constexpr char upper(char symbol) noexcept {
  return is_lower(symbol) ? static_cast<char>(symbol - 'a' + 'A') : symbol;
}

[[nodiscard]] constexpr bool equal_but_for_case(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, {}, lower, lower);
}

/// The number that makes up the whole text, which starts with a digit or a decimal point: `from_chars` alone
/// would take a minus, "inf" and "nan", and nothing in the configuration is negative or infinite.
template <class T, class... Format>
[[nodiscard]] std::optional<T> parse_number(std::string_view text, Format... format) noexcept {
  if (text.empty() || !(is_digit(text.front()) || text.front() == '.')) return std::nullopt;
  T value{};
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, format...);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

/// The items of a comma-separated list, without the spaces around them. At least one, which may be empty.
[[nodiscard]] inline std::vector<std::string_view> items_of(std::string_view list) {
  std::vector<std::string_view> items;
  for (;;) {
    const auto comma = list.find(',');
    auto item = list.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    items.push_back(item);
    if (comma == std::string_view::npos) return items;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace staging::text
