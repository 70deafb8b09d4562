// SPDX-License-Identifier: BSL-1.0
#include "http/date.hpp"

#include "catch2.hpp"

#include <chrono>

using staging::http_date;

TEST_CASE("a date is written as HTTP wants it, in GMT and English", "[staging][http]") {
  CHECK(http_date(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110, 5.6.7
  CHECK(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http_date(1'709'251'199) == "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST_CASE("a time is written as ISO 8601 with microseconds", "[staging][http]") {
  using namespace std::chrono;
  const system_clock::time_point time{seconds{1'760'854'963} + microseconds{158'269}};
  CHECK(staging::iso_time(time) == "2025-10-19T06:22:43.158269Z");
  CHECK(staging::iso_time(time - microseconds{158'262}) == "2025-10-19T06:22:43.000007Z");
  CHECK(staging::iso_time(system_clock::time_point{} - microseconds{1}) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("the date of now goes on", "[staging][http]") {
  const auto before = std::time(nullptr);
  const auto told = staging::current_http_date();
  CHECK(
      (told == http_date(before) || told == http_date(std::time(nullptr)) || told == http_date(before + 1)));
}

TEST_CASE("a time of the log and of the API is ISO 8601, in UTC and microseconds", "[staging][http]") {
  using namespace std::chrono_literals;
  const std::chrono::system_clock::time_point at{1'760'854'963s + 158'269us};
  CHECK(staging::iso_time(at) == "2025-10-19T06:22:43.158269Z");
  CHECK(staging::iso_time(at - 158'268us + 999ns) == "2025-10-19T06:22:43.000001Z");
  CHECK(staging::iso_time({}) == "1970-01-01T00:00:00.000000Z");
}
