// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <ctime>
#include <string>

namespace staging {

/// A time as HTTP writes it (IMF-fixdate, RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
[[nodiscard]] std::string http_date(std::time_t time);

/// The value of the `Date` header now. Formatted once a second and thread; valid until the thread's next
/// call.
[[nodiscard]] const std::string& current_http_date();

/// A time as ISO 8601 writes it, in UTC and microseconds: `2025-10-19T06:22:43.158269Z`.
[[nodiscard]] std::string iso_time(std::chrono::system_clock::time_point at);

}  // namespace staging
