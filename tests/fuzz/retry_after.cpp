// SPDX-License-Identifier: BSL-1.0

// The value of a Retry-After header, against a plain reading of RFC 9110 that was written apart from the
// library.

#include "target.hpp"

#include "brownout/core/parse_retry_after.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <tuple>

namespace {

using namespace std::chrono_literals;
using brownout::duration;

constexpr std::array<const char*, 7> short_days{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<const char*, 7> long_days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                               "Friday", "Saturday", "Sunday"};
constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}
int days_in(int month, int year) {  // from 0
  constexpr std::array days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days.at(static_cast<std::size_t>(month)) + (month == 1 && is_leap(year) ? 1 : 0);
}

struct date {
  int year = 0;
  int month = 0;  // from 0
  int day = 0;
  int hour = 0, minute = 0, second = 0;

  /// Seconds since 1970, counted year by year and month by month. A day too many is one of the next month.
  [[nodiscard]] std::int64_t seconds() const {
    std::int64_t days = day - 1;
    for (int y = 1970; y < year; ++y) days += is_leap(y) ? 366 : 365;
    for (int y = year; y < 1970; ++y) days -= is_leap(y) ? 366 : 365;
    for (int m = 0; m < month; ++m) days += days_in(m, year);
    return days * 86'400 + hour * 3600 + minute * 60 + second;
  }
  [[nodiscard]] bool exists() const {
    return day >= 1 && day <= days_in(month, year) && hour <= 23 && minute <= 59 && second <= 60;
  }
};

/// The date of a number of seconds since 1970, counted day by day.
date date_of(std::int64_t seconds) {
  std::int64_t days = seconds / 86'400 - (seconds % 86'400 < 0 ? 1 : 0);
  const auto rest = static_cast<int>(seconds - days * 86'400);
  date found{1970, 0, 1, rest / 3600, rest / 60 % 60, rest % 60};
  for (; days < 0; days += is_leap(found.year) ? 366 : 365) --found.year;
  for (; days >= (is_leap(found.year) ? 366 : 365); ++found.year) days -= is_leap(found.year) ? 366 : 365;
  for (; days >= days_in(found.month, found.year); ++found.month) days -= days_in(found.month, found.year);
  found.day += static_cast<int>(days);
  return found;
}

/// Writes a date in one of the three forms of HTTP.
std::string written(int form, const date& one, std::size_t weekday) {
  const char* const month = months.at(static_cast<std::size_t>(one.month));
  switch (form) {
    case 0:
      return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", short_days.at(weekday), one.day, month,
                         one.year, one.hour, one.minute, one.second);
    case 1:
      return fmt::format("{}, {:02}-{}-{:02} {:02}:{:02}:{:02} GMT", long_days.at(weekday), one.day, month,
                         one.year % 100, one.hour, one.minute, one.second);
    default:
      return fmt::format("{} {} {:2} {:02}:{:02}:{:02} {:04}", short_days.at(weekday), month, one.day,
                         one.hour, one.minute, one.second, one.year);
  }
}

/// Reads one form loosely, by `sscanf`, and takes it if it is written back as the same text.
std::optional<date> read(int form, const std::string& text) {
  constexpr std::array formats{"%9[A-Za-z], %2d %3s %4d %2d:%2d:%2d GMT",
                               "%9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT",
                               "%9s %3s %2d %2d:%2d:%2d %4d"};
  date found;
  std::array<char, 10> weekday{};
  std::array<char, 4> month{};
  const char* const format = formats.at(static_cast<std::size_t>(form));
  const int items = form == 2 ? std::sscanf(text.c_str(), format, weekday.data(), month.data(), &found.day,
                                            &found.hour, &found.minute, &found.second, &found.year)
                              : std::sscanf(text.c_str(), format, weekday.data(), &found.day, month.data(),
                                            &found.year, &found.hour, &found.minute, &found.second);
  if (items != 7) return std::nullopt;
  for (const int number : {found.day, found.year, found.hour, found.minute, found.second}) {
    if (number < 0) return std::nullopt;
  }
  found.month = -1;
  for (int m = 0; m < 12; ++m) {
    if (std::strcmp(months.at(static_cast<std::size_t>(m)), month.data()) == 0) found.month = m;
  }
  if (found.month < 0) return std::nullopt;
  for (std::size_t d = 0; d < 7; ++d) {
    auto again = written(form, found, d);
    if (again == text) return found;
    // A single digit of a day after a blank may also be written as two digits, as in the other forms.
    if (form == 2 && found.day < 10) {
      again[8] = '0';
      if (again == text) return found;
    }
  }
  return std::nullopt;
}

/// The latest year that ends in these two digits and is no more than 50 years ahead.
void fill_century(date& found, std::int64_t now) {
  auto limit = date_of(now);
  limit.year += 50;
  found.year += limit.year - limit.year % 100 + 100;
  while (found.seconds() > limit.seconds()) found.year -= 100;
}

std::optional<duration> plain_retry_after(std::string text, std::chrono::nanoseconds now) {
  const auto is_white = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_white(text.back())) text.pop_back();
  while (!text.empty() && is_white(text.front())) text.erase(0, 1);
  if (text.empty() || text.find('\0') != std::string::npos) return std::nullopt;
  constexpr std::int64_t century = 36'525LL * 86'400;

  bool is_number = true;
  for (const char c : text) is_number = is_number && c >= '0' && c <= '9';
  if (is_number) {
    const auto digits = text.substr(std::min(text.find_first_not_of('0'), text.size()));
    if (digits.size() > 12) return duration::max();
    const auto seconds = digits.empty() ? 0 : std::stoll(digits);
    return seconds > century ? duration::max() : duration{std::chrono::seconds{seconds}};
  }

  const bool is_before_1970 = now % 1s < 0s;
  const std::int64_t second = now / 1s - (is_before_1970 ? 1 : 0);
  const auto begun = now % 1s + (is_before_1970 ? 1s : 0s);  // into the present second
  for (const int form : {0, 1, 2}) {
    auto found = read(form, text);
    if (!found) continue;
    if (form == 1) fill_century(*found, second);
    if (!found->exists()) return std::nullopt;
    const auto wait = found->seconds() - second;
    if (wait <= 0) return duration{};
    if (wait > century) return duration::max();
    return duration{std::chrono::seconds{wait}} - begun;
  }
  return std::nullopt;
}

/// A text that is a date, or is one but for some bytes.
std::string nearly_a_date(fuzz::choices& from) {
  date one;
  one.year = from.between(0, from.one_in(4) ? 9999 : 2300);
  one.month = static_cast<int>(from.below(12));
  one.day = from.between(0, 32);
  one.hour = from.between(0, 24);
  one.minute = from.between(0, 60);
  one.second = from.between(0, 61);
  const auto form = static_cast<int>(from.below(3));
  auto text = written(form, one, from.below(7));
  for (auto edits = from.below(3); edits > 0 && !text.empty(); --edits) {
    const auto at = from.below(static_cast<std::uint32_t>(text.size()));
    if (from.one_in(2)) {
      text.erase(at, 1);
    } else {
      text.insert(at, from.text(2));
    }
  }
  return text;
}

}  // namespace

void fuzz::one_input(choices& from) {
  const std::chrono::nanoseconds now{
      from.one_in(4) ? from.any<std::int64_t>() : from.between<std::int64_t>(0, 4'000'000'000'000'000'000)};
  const auto text = from.one_in(2) ? nearly_a_date(from) : from.rest();
  from.note("parse_retry_after({}) at {} ns", shown(text), now.count());

  const std::chrono::system_clock::time_point at{now};
  const auto seen = brownout::parse_retry_after(text, at);
  const auto expected = plain_retry_after(text, now);
  require_same(seen.has_value(), expected.has_value(), "whether the text is a wait");
  if (seen) require_same(seen->count(), expected->count(), "the wait in ns");
  if (seen) require(*seen >= duration{}, "the wait is negative: {} ns", seen->count());
}
