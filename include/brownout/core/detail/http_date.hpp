// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Reads a date of HTTP. It accepts the three forms that RFC 9110, section 5.6.7, requires recipients to
/// accept:
///
///     Sun, 06 Nov 1994 08:49:37 GMT    IMF-fixdate, the form in use
///     Sunday, 06-Nov-94 08:49:37 GMT   RFC 850
///     Sun Nov  6 08:49:37 1994         asctime
///
/// Names are case-sensitive, as in the RFC. The name of the weekday is not compared with the date.
class http_date {
 public:
  using moment = std::chrono::sys_seconds;

  /// The time that `text` names. Empty unless all of `text` is a date. `now` is used to find the century of a
  /// year of two digits.
  [[nodiscard]] static constexpr std::optional<moment> parse(std::string_view text, moment now) noexcept {
    if (http_date date{text}; date.reads_fixdate()) return date.of_year(date.year_);
    if (http_date date{text}; date.reads_rfc850()) return date.of_year(date.full_year(now));
    if (http_date date{text}; date.reads_asctime()) return date.of_year(date.year_);
    return std::nullopt;
  }

 private:
  static constexpr std::string_view weekdays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  static constexpr std::string_view long_weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                       "Friday", "Saturday", "Sunday"};
  static constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  static constexpr std::chrono::years farthest{50};  // how far ahead a year of two digits may be

  explicit constexpr http_date(std::string_view text) noexcept : rest_{text} {}

  // Before the functions that call it: otherwise Clang has no body of it yet in a constant expression.
  //
  /// The number of the name at the present position, from 1. 0 if there is no such name.
  template <std::size_t Count>
  constexpr unsigned reads_name(const std::string_view (&names)[Count]) noexcept {
    unsigned number = 0;
    for (const auto name : names) {
      ++number;
      if (reads(name)) return number;
    }
    return 0;
  }

  constexpr bool reads_fixdate() noexcept {
    return reads_name(weekdays) && reads(", ") && reads(day_, 2) && reads(" ") && reads_month() &&
           reads(" ") && reads(year_, 4) && reads(" ") && reads_time() && reads(" GMT") && rest_.empty();
  }
  constexpr bool reads_rfc850() noexcept {
    return reads_name(long_weekdays) && reads(", ") && reads(day_, 2) && reads("-") && reads_month() &&
           reads("-") && reads(year_, 2) && reads(" ") && reads_time() && reads(" GMT") && rest_.empty();
  }
  constexpr bool reads_asctime() noexcept {
    return reads_name(weekdays) && reads(" ") && reads_month() && reads(" ") &&
           (reads(" ") ? reads(day_, 1) : reads(day_, 2)) && reads(" ") && reads_time() && reads(" ") &&
           reads(year_, 4) && rest_.empty();
  }
  constexpr bool reads_time() noexcept {
    return reads(hour_, 2) && reads(":") && reads(minute_, 2) && reads(":") && reads(second_, 2);
  }
  constexpr bool reads_month() noexcept {
    month_ = reads_name(months);
    return month_ != 0;
  }

  constexpr bool reads(std::string_view expected) noexcept {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  constexpr bool reads(int& number, std::size_t digits) noexcept {
    if (rest_.size() < digits) return false;
    number = 0;
    for (const char digit : rest_.substr(0, digits)) {
      if (digit < '0' || digit > '9') return false;
      number = number * 10 + (digit - '0');
    }
    rest_.remove_prefix(digits);
    return true;
  }
  /// The latest year that ends in the two digits and makes a date no more than 50 years ahead.
  [[nodiscard]] constexpr int full_year(moment now) const noexcept {
    const auto today = std::chrono::floor<std::chrono::days>(now);
    const auto last_day = std::chrono::year_month_day{today} + farthest;
    const int last_year = static_cast<int>(last_day.year());
    const int year = last_year - (last_year - year_) % 100;
    return at(year) > std::chrono::sys_days{last_day} + (now - today) ? year - 100 : year;
  }

  [[nodiscard]] constexpr std::optional<moment> of_year(int year) const noexcept {
    const bool is_time = hour_ <= 23 && minute_ <= 59 && second_ <= 60;  // 60: a leap second
    return is_time && date(year).ok() ? std::optional{at(year)} : std::nullopt;
  }
  [[nodiscard]] constexpr std::chrono::year_month_day date(int year) const noexcept {
    return {std::chrono::year{year}, std::chrono::month{month_},
            std::chrono::day{static_cast<unsigned>(day_)}};
  }
  [[nodiscard]] constexpr moment at(int year) const noexcept {
    return std::chrono::sys_days{date(year)} + std::chrono::seconds{(hour_ * 60 + minute_) * 60 + second_};
  }

  std::string_view rest_;  // the rest of the text
  int year_ = 0;           // as written
  unsigned month_ = 0;     // from 1
  int day_ = 0;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
