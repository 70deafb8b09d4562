// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/http_date.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// `text` as a number of seconds. Empty if it is no number. Precondition: `text` is not empty.
[[nodiscard]] constexpr std::optional<duration> delay_of(std::string_view text) noexcept {
  constexpr std::int64_t ages = 100'000'000'000'000'000;  // the result does not grow with further digits
  std::int64_t seconds = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    if (seconds < ages) seconds = seconds * 10 + (digit - '0');
  }
  return saturated(std::chrono::seconds{seconds});
}

}  // namespace detail

/// Reads the value of a Retry-After header: how long to wait from `now` on.
///
///     const auto asked = [](const response& seen) {
///       return brownout::parse_retry_after(seen.header("Retry-After"), std::chrono::system_clock::now());
///     };
///     api.call(fetch, brownout::first_match{brownout::failure_if(is_server_error),
///                                           brownout::retry_after_from(asked)});
///
/// `text` is a number of seconds ("120") or a date in one of the three forms of HTTP (RFC 9110, sections
/// 10.2.3 and 5.6.7), with or without white space around it. A date that has passed gives zero. A wait of
/// more than a century gives `(duration::max)()`. Any other text gives an empty optional. An empty text does
/// so too, so pass an empty text if there is no such header.
///
/// A year of two digits is the latest one that makes the date no more than 50 years later than `now`. A date
/// is compared with the wall clock of this machine. If that clock is wrong, the wait is wrong too.
///
/// Uses no locale, allocates nothing, and takes time in proportion to the length of the text.
[[nodiscard]] constexpr std::optional<duration> parse_retry_after(
    std::string_view text, std::chrono::system_clock::time_point now) noexcept {
  constexpr std::string_view white = " \t\r\n";
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(white) + 1 - first);

  if (const auto delay = detail::delay_of(text)) return delay;
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const auto date = detail::http_date::parse(text, second);
  if (!date) return std::nullopt;
  if (*date <= second) return duration::zero();
  // In seconds first: in nanoseconds the year 2262 is too far away.
  const auto wait = detail::saturated(*date - second);
  constexpr std::chrono::seconds one{1};
  const auto begun = (now.time_since_epoch() % one + one) % one;  // into the present second
  return wait == (duration::max)() ? wait : wait - begun;
}

}  // namespace brownout::inline BROWNOUT_ABI
