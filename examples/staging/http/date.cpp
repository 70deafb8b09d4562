// SPDX-License-Identifier: BSL-1.0
#include "http/date.hpp"

#include <fmt/chrono.h>

namespace staging {

std::string http_date(std::time_t time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(time));  // fmt's names are English
}

const std::string& current_http_date() {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  if (const auto now = std::time(nullptr); now != second || text.empty()) {
    text = http_date(now);
    second = now;
  }
  return text;
}

std::string iso_time(std::chrono::system_clock::time_point at) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(at);
  const auto whole = std::chrono::floor<std::chrono::seconds>(micros);
  const auto time = std::chrono::system_clock::to_time_t(whole);
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (micros - whole).count());
}

}  // namespace staging
