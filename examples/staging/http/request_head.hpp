// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace staging {

/// Request line and headers, understood.
struct request_head {
  std::string method;                 ///< as sent; any token
  std::string path;                   ///< from the first slash, still percent-encoded
  int minor_version = 1;              ///< of HTTP/1.x: 0 or 1
  std::vector<header_field> headers;  ///< in order
  std::uint64_t content_length = 0;   ///< bytes of body announced; 0 when chunked
  bool chunked = false;               ///< the body comes in chunks, its length is not announced
  bool expects_continue = false;      ///< the client waits for `100 Continue` before it sends the body
  bool keeps_alive = true;            ///< the client would use the connection again

  /// The header's value if it is there exactly once: of two keys or ids, none is the right one.
  [[nodiscard]] std::optional<std::string_view> single(std::string_view name) const noexcept;

  /// All values of a list header, joined by commas.
  [[nodiscard]] std::string joined(std::string_view name) const;
};

/// Whether `text` holds no control character but the tab.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;

/// Whether `line` (without CR LF) is a header: a name, a colon that follows it directly, a value.
[[nodiscard]] bool is_field_line(std::string_view line) noexcept;

/// Reads everything up to and including the empty line, strictly by RFC 9112.
///
/// Strict because two programs read a request, a proxy and this server, and where they understand it
/// differently one request can hide in another: bare CR or LF, folded lines, blanks before the colon, two
/// lengths, a length beside `Transfer-Encoding`, a body on a method that has none, a host that is none are
/// errors and never guessed at.
///
/// Pure; the answer to an error (400, 414, 417, 501, 505) closes the connection.
[[nodiscard]] std::variant<request_head, error_answer> parse_head(std::string_view text);

}  // namespace staging
