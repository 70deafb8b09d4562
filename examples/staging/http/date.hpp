// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ctime>
#include <string>

namespace staging {

/// A time as HTTP writes it (IMF-fixdate, RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
[[nodiscard]] std::string http_date(std::time_t time);

/// The value of the `Date` header now. Formatted once a second and thread; valid until the thread's next
/// call.
[[nodiscard]] const std::string& current_http_date();

}  // namespace staging
