// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Refuses an option: the message names the field, its value and what is allowed.
[[noreturn]] inline void invalid_option(std::string_view field, std::string_view value,
                                        std::string_view allowed) {
  std::string text{field};
  text.append(" = ").append(value).append(": allowed is ").append(allowed);
  raise(std::invalid_argument{text});
}

/// A whole number in digits.
[[nodiscard]] std::string to_text(std::integral auto value) {
  return std::to_string(value);
}

/// A number in the fewest digits that identify it among all numbers of its type: `0.6`, `24`, `1e-09`.
[[nodiscard]] inline std::string to_text(double value) {
  if (std::isnan(value)) return "nan";
  char digits[32];  // enough for numbers below 1e15 that are not tiny, and for all others with an exponent
  const auto size = std::abs(value);
  const bool plain = size <= 0 || (size >= 1e-5 && size < 1e15);
  const auto end = plain ? std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed)
                         : std::to_chars(digits, digits + sizeof digits, value);
  return {digits, end.ptr};
}

/// `value` in units of `unit`, as a decimal number without needless zeros: 1500 in units of 1000 is "1.5".
[[nodiscard]] inline std::string decimal(std::int64_t value, std::int64_t unit) {
  auto text = std::to_string(value / unit);
  auto rest = value % unit;
  if (rest != 0) text += '.';
  while (rest != 0) {
    unit /= 10;
    text += static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return text;
}

/// A time as people write it: `24h`, `1m30s`, `100ms`, `1.5us`.
[[nodiscard]] inline std::string to_text(duration value) {
  constexpr std::int64_t us = 1'000;
  constexpr std::int64_t ms = 1'000'000;
  constexpr std::int64_t second = 1'000'000'000;
  constexpr std::int64_t minute = 60 * second;
  constexpr duration century{std::chrono::hours{24 * 36525}};
  if (value > century) return "over 100 years";
  if (value < -century) return "below -100 years";
  if (value == duration::zero()) return "0s";
  const auto length = std::abs(value.count());
  const auto hours = length / (60 * minute);
  const auto minutes = length / minute % 60;
  const auto rest = length % minute;
  std::string text = value < duration::zero() ? "-" : "";
  if (hours != 0) text += std::to_string(hours) + "h";
  if (minutes != 0) text += std::to_string(minutes) + "m";
  if (rest == 0) return text;
  if (rest < us) return text + decimal(rest, 1) + "ns";
  if (rest < ms) return text + decimal(rest, us) + "us";
  if (rest < second) return text + decimal(rest, ms) + "ms";
  return text + decimal(rest, second) + "s";
}

/// Accepts a number within [least, most] and refuses any other.
template <class Number>
constexpr void require_within(std::string_view field, Number value, Number least, Number most) {
  if (value >= least && value <= most) return;  // written so that NaN is refused too
  invalid_option(field, to_text(value), to_text(least) + " to " + to_text(most));
}

/// Accepts a duration within [least, most] and refuses any other.
inline void require_within(std::string_view field, duration value, duration least, duration most) {
  if (value >= least && value <= most) return;
  invalid_option(field, to_text(value), to_text(least) + " to " + to_text(most));
}

/// Accepts a name of up to 128 bytes and refuses a longer one.
inline void require_name(std::string_view field, std::string_view name) {
  constexpr std::size_t longest = 128;
  if (name.size() <= longest) return;
  invalid_option(field, std::string{name.substr(0, longest)} + "...", "up to 128 bytes");
}

/// Calls `validate`, which does not know the owner of the options. If it throws a `std::invalid_argument`,
/// `whose` is put in front of the text. Without exceptions the text reaches the assertion handler unchanged.
template <class F>
void validate_for(const std::string& whose, F&& validate) {
#if defined(__cpp_exceptions)
  try {
    std::forward<F>(validate)();
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument{whose + ": " + error.what()};
  }
#else
  static_cast<void>(whose);
  std::forward<F>(validate)();
#endif
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
