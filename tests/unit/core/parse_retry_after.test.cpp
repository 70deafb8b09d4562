// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/core/parse_retry_after.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;
using brownout::duration;
using brownout::parse_retry_after;
using clock_time = std::chrono::system_clock::time_point;

namespace {

constexpr clock_time at(int year, unsigned month, unsigned day, std::chrono::seconds time = 0s) {
  using namespace std::chrono;
  return sys_days{year_month_day{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}}} +
         time;
}

/// The moment of the examples in RFC 9110.
constexpr auto example = at(1994, 11, 6, 8h + 49min + 37s);
constexpr std::array<std::string_view, 3> forms{"Sun, 06 Nov 1994 08:49:37 GMT",
                                                "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};

static_assert(parse_retry_after("120", example) == 2min);
static_assert(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", example - 7s) == 7s);
static_assert(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", example - 7s) == 7s);
static_assert(parse_retry_after("Sun Nov  6 08:49:37 1994", example - 7s) == 7s);
static_assert(parse_retry_after("soon", example) == std::nullopt);
static_assert(noexcept(parse_retry_after("", example)));

/// As the example, a minute before it.
std::optional<duration> parsed(std::string_view text) {
  return parse_retry_after(text, example - 1min);
}

/// A day of the Gregorian calendar, counted by hand: the library's dates come from <chrono>.
struct counted_day {
  int year = 1970;
  int month = 1;
  int day = 1;
  int weekday = 4;  // a Thursday
  int since_1970 = 0;

  [[nodiscard]] int days_of_month() const {
    if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  }
  void next() {
    ++since_1970;
    weekday = (weekday + 1) % 7;
    if (++day <= days_of_month()) return;
    day = 1;
    if (++month <= 12) return;
    month = 1;
    ++year;
  }
  [[nodiscard]] std::array<std::string, 3> written(int hour, int minute, int second) const {
    constexpr std::array weekdays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                  "Thursday", "Friday", "Saturday"};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto* const long_name = weekdays[static_cast<std::size_t>(weekday)];
    const auto* const month_name = months[static_cast<std::size_t>(month - 1)];
    const auto print = [](const char* format, auto... values) {
      std::array<char, 64> text{};
      std::snprintf(text.data(), text.size(), format, values...);
      return std::string{text.data()};
    };
    return {print("%.3s, %02d %s %04d %02d:%02d:%02d GMT", long_name, day, month_name, year, hour, minute,
                  second),
            print("%s, %02d-%s-%02d %02d:%02d:%02d GMT", long_name, day, month_name, year % 100, hour, minute,
                  second),
            print("%.3s %s %2d %02d:%02d:%02d %04d", long_name, month_name, day, hour, minute, second, year)};
  }
};

/// Takes from `text` one of the names, each followed by `tail`.
bool takes_name(std::string_view& text, std::span<const std::string_view> names, std::string_view tail = "") {
  for (const auto name : names) {
    if (!text.starts_with(name) || !text.substr(name.size()).starts_with(tail)) continue;
    return text.remove_prefix(name.size() + tail.size()), true;
  }
  return false;
}

/// Whether `text` has this form: w a day, W its long name, m a month, 9 a digit, _ a digit or a space, or the
/// character itself.
bool fits(std::string_view text, std::string_view form) {
  constexpr std::string_view days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  constexpr std::string_view long_days[] = {"Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun"};
  constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto takes_one_of = [&](std::string_view characters) {
    if (text.empty() || characters.find(text.front()) == std::string_view::npos) return false;
    return text.remove_prefix(1), true;
  };
  for (const char& wanted : form) {
    const bool taken = wanted == 'w'   ? takes_name(text, days)
                       : wanted == 'W' ? takes_name(text, long_days, "day")
                       : wanted == 'm' ? takes_name(text, months)
                       : wanted == '9' ? takes_one_of("0123456789")
                       : wanted == '_' ? takes_one_of(" 0123456789")
                                       : takes_one_of({&wanted, 1});
    if (!taken) return false;
  }
  return text.empty();
}

bool is_in_grammar(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos ||
         fits(text, "w, 99 m 9999 99:99:99 GMT") || fits(text, "W, 99-m-99 99:99:99 GMT") ||
         fits(text, "w m _9 99:99:99 9999");
}

}  // namespace

TEST_CASE("a Retry-After of seconds is so long", "[core][B12]") {
  CHECK(parsed("0") == 0s);
  CHECK(parsed("1") == 1s);
  CHECK(parsed("120") == 120s);
  CHECK(parsed("0000000000000000000000000000120") == 120s);
  CHECK(parsed("3155760000") == 3'155'760'000s);  // a century
  CHECK(parsed(std::string_view{"12099"}.substr(0, 3)) == 120s);
}

TEST_CASE("a Retry-After of more than a century is as long as can be", "[core][B12]") {
  const auto text = GENERATE(
      "3155760001"s, "99999999999999999"s, "9223372036854775807"s, "9223372036854775808"s,
      "18446744073709551615"s, "18446744073709551616"s, "18446744073709551736"s, std::string(10'000'000, '9'),
      "Fri, 31 Dec 9999 23:59:59 GMT"s, "Fri Dec 31 23:59:59 9999"s, "Sun, 06 Nov 2095 08:49:37 GMT"s);
  CHECK(parsed(text) == duration::max());
}

TEST_CASE("a Retry-After may have white space around it, and none within", "[core][B12]") {
  CHECK(parsed(" 120") == 120s);
  CHECK(parsed("120 ") == 120s);
  CHECK(parsed("\t 120 \t\r\n") == 120s);
  for (const auto form : forms) CHECK(parsed(" \t" + std::string{form} + "\t ") == 1min);
  CHECK(parsed("1 20") == std::nullopt);
  CHECK(parsed("") == std::nullopt);
  CHECK(parsed(" ") == std::nullopt);
  CHECK(parsed("\v120") == std::nullopt);
  CHECK(parsed(std::string(10'000'000, ' ')) == std::nullopt);
  CHECK(parsed("Sun,  06 Nov 1994 08:49:37 GMT") == std::nullopt);
  CHECK(parsed("Sun,06 Nov 1994 08:49:37 GMT") == std::nullopt);
  CHECK(parsed("Sun, 6 Nov 1994 08:49:37 GMT") == std::nullopt);
}

TEST_CASE("a Retry-After that is a date lasts until then", "[core][B12]") {
  for (const auto form : forms) {
    CHECK(parse_retry_after(form, example - 1s) == 1s);
    CHECK(parse_retry_after(form, example - 24h) == 24h);
    CHECK(parse_retry_after(form, example - 1500ms) == 1500ms);
    CHECK(parse_retry_after(form, example - 1ns) == 1ns);
    CHECK(parse_retry_after(form, example) == 0s);
    CHECK(parse_retry_after(form, example + 1ns) == 0s);
    CHECK(parse_retry_after(form, example + 24h) == 0s);
  }
  CHECK(parsed("Sun Nov 06 08:49:37 1994") == 1min);
  CHECK(parsed("Thu, 01 Jan 0001 00:00:00 GMT") == 0s);
  CHECK(parsed("Sat, 01 Jan 0000 00:00:00 GMT") == 0s);
  CHECK(parse_retry_after("Thu, 01 Jan 1970 00:00:01 GMT", clock_time{-500ms}) == 1500ms);
  CHECK(parse_retry_after("Thu, 01 Jan 1970 00:00:00 GMT", clock_time{-1ns}) == 1ns);
  SECTION("of 2038 too") {
    CHECK(parse_retry_after("Tue, 19 Jan 2038 03:14:08 GMT", at(2038, 1, 19, 3h + 14min)) == 8s);
    CHECK(parse_retry_after("Sun, 07 Feb 2106 06:28:16 GMT", at(2106, 2, 7, 6h + 28min)) == 16s);
  }
  SECTION("whatever day of the week it says it is") {
    CHECK(parsed("Mon, 06 Nov 1994 08:49:37 GMT") == 1min);
    CHECK(parsed("Monday, 06-Nov-94 08:49:37 GMT") == 1min);
    CHECK(parsed("Mon Nov  6 08:49:37 1994") == 1min);
  }
  SECTION("at either end of the clock's time") {
    for (const auto form : {forms[0], forms[2]}) {
      CHECK(parse_retry_after(form, clock_time::min()) == duration::max());
      CHECK(parse_retry_after(form, clock_time::max()) == 0s);
    }
    CHECK(parse_retry_after(forms[1], clock_time::min()).has_value());
    CHECK(parse_retry_after(forms[1], clock_time::max()).has_value());
    CHECK(parse_retry_after("120", clock_time::min()) == 2min);
    CHECK(parse_retry_after("120", clock_time::max()) == 2min);
  }
}

TEST_CASE("every day from 1970 to 2261 is read in each of the three forms", "[core][exhaustive][B12]") {
  int read = 0;
  for (counted_day day; day.year < 2262; day.next()) {
    const int time = static_cast<int>(day.since_1970 * 7919LL % 86'400);
    const auto midnight = clock_time{std::chrono::hours{24} * day.since_1970};
    for (const auto& text : day.written(time / 3600, time / 60 % 60, time % 60)) {
      // The day before, so that none has passed.
      if (parse_retry_after(text, midnight - 24h) == 24h + std::chrono::seconds{time}) {
        ++read;
      } else {
        FAIL_CHECK(text);
      }
    }
  }
  CHECK(read == 3 * 106'651);
}

TEST_CASE("a date that is in no calendar is no Retry-After", "[core][B12]") {
  SECTION("29 February of a year that does not leap") {
    const auto day = [](const char* year) {
      return parse_retry_after("Sat, 29 Feb " + std::string{year} + " 00:00:00 GMT", clock_time{})
          .has_value();
    };
    for (const auto* year : {"1972", "2000", "2024", "2400", "9996", "0000", "0004"}) CHECK(day(year));
    for (const auto* year : {"1900", "1970", "2023", "2100", "2200", "2300", "9999"}) CHECK_FALSE(day(year));
  }
  SECTION("a day beyond its month") {
    for (const auto* day : {"00 Nov", "32 Jan", "30 Feb", "32 Mar", "31 Apr", "32 May", "31 Jun", "32 Jul",
                            "32 Aug", "31 Sep", "32 Oct", "31 Nov", "32 Dec", "99 Dec"}) {
      CHECK(parsed("Sun, " + std::string{day} + " 1994 08:49:37 GMT") == std::nullopt);
    }
    CHECK(parsed("Sun Nov 31 08:49:37 1994") == std::nullopt);
    CHECK(parsed("Sun Nov  0 08:49:37 1994") == std::nullopt);
    CHECK(parsed("Sunday, 31-Nov-94 08:49:37 GMT") == std::nullopt);
  }
  SECTION("a time beyond the day") {
    const auto at_time = [](const char* time) {
      return parsed("Sun, 06 Nov 1994 " + std::string{time} + " GMT");
    };
    CHECK(at_time("23:59:59") == 15h + 11min + 22s);
    CHECK(at_time("23:59:60") == 15h + 11min + 23s);  // a leap second
    for (const auto* time : {"24:00:00", "23:60:00", "23:59:61", "99:99:99"})
      CHECK(at_time(time) == std::nullopt);
  }
}

TEST_CASE("a year of two digits is the latest that is no more than 50 years ahead", "[core][B12]") {
  const auto passes = [](const char* text, clock_time now) { return parse_retry_after(text, now) == 0s; };
  const auto now = at(2026, 6, 15, 12h);
  CHECK(passes("Sunday, 06-Nov-94 08:49:37 GMT", now));
  CHECK(passes("Friday, 31-Dec-99 23:59:59 GMT", now));
  CHECK(passes("Monday, 15-Jun-26 12:00:00 GMT", now));
  CHECK(parse_retry_after("Monday, 15-Jun-26 12:00:01 GMT", now) == 1s);
  SECTION("to the second") {
    CHECK(parse_retry_after("Monday, 15-Jun-76 12:00:00 GMT", now) == at(2076, 6, 15, 12h) - now);
    CHECK(passes("Monday, 15-Jun-76 12:00:01 GMT", now));  // of 1976
    CHECK(parse_retry_after("Monday, 15-Jun-76 12:00:00 GMT", now + 999ms) ==
          at(2076, 6, 15, 12h) - now - 999ms);
    CHECK(passes("Friday, 01-Jan-77 00:00:00 GMT", now));
  }
  SECTION("across the turn of a century") {
    CHECK(parse_retry_after("Friday, 01-Jan-00 00:00:05 GMT", at(2099, 12, 31, 23h + 59min + 59s)) == 6s);
    CHECK(parse_retry_after("Saturday, 01-Jan-00 00:00:05 GMT", at(1999, 12, 31, 23h + 59min + 59s)) == 6s);
    CHECK(passes("Thursday, 31-Dec-99 23:59:59 GMT", at(2100, 1, 1)));
    CHECK(passes("Friday, 31-Dec-99 23:59:59 GMT", at(2000, 1, 1)));
  }
  SECTION("29 February is judged in that year") {
    CHECK(parse_retry_after("Tuesday, 29-Feb-00 00:00:00 GMT", at(2000, 2, 28)) == 24h);
    CHECK_FALSE(parse_retry_after("Monday, 29-Feb-00 00:00:00 GMT", at(2099, 12, 31)));  // 2100 does not leap
    CHECK(passes("Tuesday, 29-Feb-00 00:00:00 GMT", at(2030, 1, 1)));
    CHECK_FALSE(parse_retry_after("Wednesday, 29-Feb-50 00:00:00 GMT", at(2000, 2, 29)));
    CHECK(parse_retry_after("Tuesday, 01-Mar-50 00:00:00 GMT", at(2000, 2, 29)) ==
          at(2050, 3, 1) - at(2000, 2, 29));
  }
}

TEST_CASE("what is neither a number of seconds nor a date is no Retry-After", "[core][B12]") {
  for (const auto* text : {"soon",
                           "-1",
                           "+1",
                           "1.5",
                           "1,5",
                           "1e3",
                           "0x10",
                           "120s",
                           "1 2",
                           "120, 120",
                           "\"120\"",
                           "\xEF\xBC\x91",
                           "NaN",
                           "GMT",
                           "1994-11-06T08:49:37Z",
                           "06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 94 08:49:37 GMT",
                           "Sunday, 06 Nov 1994 08:49:37 GMT",
                           "Sunday, 06-Nov-1994 08:49:37 GMT",
                           "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 +0000",
                           "Sun, 06 Nov 1994 08:49 GMT",
                           "Sun, 06 Nov 1994 8:49:37 GMT",
                           "sun, 06 nov 1994 08:49:37 gmt",
                           "SUN, 06 NOV 1994 08:49:37 GMT",
                           "Sun, 06 November 1994 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 1994",
                           "Sun Nov  6 08:49:37 GMT 1994",
                           "Sun Nov   6 08:49:37 1994",
                           "Sun, 06 Nov -994 08:49:37 GMT",
                           "Sun, 06 Nov +994 08:49:37 GMT",
                           "Sun, 06 Nov 19940 08:49:37 GMT"}) {
    CHECK(parsed(text) == std::nullopt);
  }
}

TEST_CASE("no part of a date is a Retry-After, and no date with something added", "[core][B12]") {
  for (const auto form : forms) {
    for (std::size_t size = 0; size < form.size(); ++size) {
      // In a place of its own, so that a read beyond its end would be seen.
      const std::unique_ptr<char[]> alone{new char[size]};
      form.copy(alone.get(), size);
      CHECK(parsed({alone.get(), size}) == std::nullopt);
    }
    for (std::size_t cut = 1; cut < form.size() - 5; ++cut) CHECK(parsed(form.substr(cut)) == std::nullopt);
    for (const auto* more : {"x", "0", ",", " GMT", " 120"}) {
      CHECK(parsed(std::string{form} + more) == std::nullopt);
      CHECK(parsed(more + std::string{form}) == std::nullopt);
    }
    CHECK(parsed(std::string{form} + '\0') == std::nullopt);
    CHECK(parsed('\0' + std::string{form}) == std::nullopt);
    std::string often;
    while (often.size() < 1'000'000) often += form;
    CHECK(parsed(often) == std::nullopt);
  }
}

TEST_CASE("a text with any byte replaced is a Retry-After only if it fits the grammar", "[core][B12]") {
  int accepted = 0;
  for (const auto form : {forms[0], forms[1], forms[2], std::string_view{"3600"}}) {
    for (std::size_t place = 0; place < form.size(); ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text{form};
        text[place] = static_cast<char>(byte);
        if (!parsed(text)) continue;
        ++accepted;
        const auto first = text.find_first_not_of(" \t\r\n");
        const auto size = text.find_last_not_of(" \t\r\n") + 1 - first;
        if (!is_in_grammar(std::string_view{text}.substr(first, size))) FAIL_CHECK(text);
      }
    }
  }
  CHECK(accepted > 300);
}

TEST_CASE("a NUL among the digits is no digit", "[core][B12]") {
  CHECK(parsed("120\0"sv) == std::nullopt);
  CHECK(parsed("\0"
               "120"sv) == std::nullopt);
  CHECK(parsed("12\0"
               "0"sv) == std::nullopt);
  CHECK(parsed("\0"sv) == std::nullopt);
}

TEST_CASE("a Retry-After of ten million bytes is read or refused at once", "[core][B12]") {
  constexpr std::size_t long_text = 10'000'000;
  CHECK(parsed(std::string(long_text, '0')) == 0s);
  CHECK(parsed(std::string(long_text, '0').append("5")) == 5s);
  CHECK(parsed(std::string(long_text, '9').append("x")) == std::nullopt);
  CHECK(parsed(std::string(long_text, '\0')) == std::nullopt);
  CHECK(parsed(std::string(long_text, 'S')) == std::nullopt);
  CHECK(parsed(std::string(long_text, ' ').append("5")) == 5s);
}
