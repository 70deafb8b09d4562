// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace staging {

/// Whether a caller's request id may go into headers and logs as it is: 1 to 64 of `[A-Za-z0-9._-]`.
[[nodiscard]] constexpr bool is_request_id(std::string_view text) noexcept {
  if (text.empty() || text.size() > 64) return false;
  for (const char c : text) {
    const bool fits = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (!fits) return false;
  }
  return true;
}
static_assert(is_request_id("a.B_9-") && !is_request_id("") && !is_request_id("a b") &&
              !is_request_id("a\n"));

/// A new request id: 128 random bits as 32 hexadecimal digits. Unique, not secret.
[[nodiscard]] std::string make_request_id();

}  // namespace staging
