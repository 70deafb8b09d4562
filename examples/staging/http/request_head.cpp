// SPDX-License-Identifier: BSL-1.0
#include "http/request_head.hpp"

#include "http/client_address.hpp"
#include "http/percent.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace staging {

namespace {

constexpr std::size_t header_count_limit = 100;

using problem = std::optional<error_answer>;

error_answer refusal(int status, std::string code, std::string message, std::string field = {}) {
  return {.status = status,
          .code = std::move(code),
          .message = std::move(message),
          .field = std::move(field),
          .headers = {}};
}

error_answer malformed(std::string message, std::string field = {}) {
  return refusal(400, "malformed_request", std::move(message), std::move(field));
}

constexpr bool is_alphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_alphanumeric(c) || marks.find(c) != std::string_view::npos;
  });
}

bool is_registered_name(std::string_view text) {
  constexpr std::string_view marks = "-._~%!$&'()*+,;=";
  return !text.empty() && percent_decode(text) && std::ranges::all_of(text, [&](char c) {
    return is_alphanumeric(c) || marks.find(c) != std::string_view::npos;
  });
}

bool is_port(std::string_view text) noexcept {
  if (text.empty()) return true;
  std::uint16_t port = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc{} && stop == text.data() + text.size();
}

// RFC 3986, 3.2.2 and 3.2.3: a name, an IPv4 address or an IPv6 address in brackets; then a colon and a port,
// or neither.
bool is_host(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const auto end = bracketed ? text.find(']') : text.find(':');
  const auto host = text.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  if (bracketed) {
    const auto address = ip_address::parse(host);
    if (end == std::string_view::npos || host.find(':') == std::string_view::npos || !address) return false;
  } else if (!is_registered_name(host)) {
    return false;
  }
  const auto rest = text.substr(std::min(end, text.size()));
  const auto port = bracketed ? rest.substr(1) : rest;
  return port.empty() || (port.starts_with(':') && is_port(port.substr(1)));
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Cuts the next line off, without its CRLF; nothing when there is none.
std::optional<std::string_view> take_line(std::string_view& text) noexcept {
  const auto end = text.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

problem read_target(std::string_view target, request_head& head) {
  const bool printable = std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7F; });
  if (!printable || target.find('#') != std::string_view::npos)
    return malformed("The request target is not a URI.");
  // The absolute form, which every server must take: http://host/path
  constexpr std::string_view scheme = "http://";
  if (target.size() >= scheme.size() && same_name(target.substr(0, scheme.size()), scheme)) {
    target.remove_prefix(scheme.size());
    const auto authority = target.substr(0, target.find_first_of("/?"));
    if (!is_host(authority)) return malformed("The request target names no valid host.");
    target.remove_prefix(authority.size());
    if (!target.starts_with('/')) head.path = "/";
  } else if (!target.starts_with('/') && !(target == "*" && head.method == "OPTIONS")) {
    return malformed("The request target must start with a slash.");
  }
  if (!percent_decode(target))
    return malformed("A percent sign in the request target must precede two hexadecimal digits.");
  head.path += target.substr(0, target.find('?'));  // no route reads a query
  return std::nullopt;
}

problem read_request_line(std::string_view line, request_head& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return malformed("The request line must be: method, target, version.");
  }
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(method) || method.size() > 32) return malformed("The request method is not a short token.");
  head.method = method;

  if (version == "HTTP/1.0") {
    head.minor_version = 0;
  } else if (version != "HTTP/1.1") {
    const bool other = version.starts_with("HTTP/");
    return other ? refusal(505, "version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
                 : malformed("The request line must end with the HTTP version.");
  }
  return read_target(target, head);
}

problem read_headers(std::string_view text, request_head& head) {
  for (;;) {
    const auto line = take_line(text);
    if (!line) return malformed("The headers must end with an empty line.");
    if (line->empty()) break;
    if (head.headers.size() == header_count_limit) {
      return refusal(431, "headers_too_large", "There are too many headers.");
    }
    const auto colon = line->find(':');
    const auto name = line->substr(0, colon);
    if (!is_field_line(*line)) {
      return malformed("A header line is malformed.", is_token(name) ? std::string{name} : std::string{});
    }
    head.headers.push_back({std::string{name}, std::string{trimmed(line->substr(colon + 1))}});
  }
  if (!text.empty()) return malformed("There is more than one head.");
  return std::nullopt;
}

problem check_host(const request_head& head) {
  const auto count =
      std::ranges::count_if(head.headers, [](const auto& field) { return same_name(field.name, "Host"); });
  if (count == 0 && head.minor_version == 0)
    return std::nullopt;  // HTTP/1.0 has no such duty; health checks use it
  const auto host = head.single("Host");
  if (!host || !is_host(*host)) return malformed("Exactly one valid Host header is required.", "Host");
  return std::nullopt;
}

problem read_body_length(request_head& head) {
  std::optional<std::string_view> length;
  std::optional<std::string_view> coding;
  for (const auto& field : head.headers) {
    const bool is_length = same_name(field.name, "Content-Length");
    if (!is_length && !same_name(field.name, "Transfer-Encoding")) continue;
    auto& seen = is_length ? length : coding;
    if (seen) return malformed("The header is given twice.", field.name);
    seen = field.value;
  }
  if (length && coding)
    return malformed("Content-Length and Transfer-Encoding exclude each other.", "Content-Length");
  if (coding) {
    if (head.minor_version == 0) return malformed("HTTP/1.0 has no transfer codings.", "Transfer-Encoding");
    if (!same_name(*coding, "chunked")) {
      return refusal(501, "transfer_coding_not_supported", "The only transfer coding understood is chunked.");
    }
    head.chunked = true;
  }
  if (length) {
    const auto* end = length->data() + length->size();
    // from_chars takes digits only for an unsigned type, except that it would stop, not fail, at what follows
    // them.
    const auto [stop, failure] = std::from_chars(length->data(), end, head.content_length);
    if (failure != std::errc{} || stop != end)
      return malformed("The length is not a number.", "Content-Length");
  }
  const bool has_none = head.method == "GET" || head.method == "HEAD";
  if (has_none && (head.chunked || head.content_length > 0)) {
    return malformed("A " + head.method + " request has no body here.",
                     coding ? "Transfer-Encoding" : "Content-Length");
  }
  return std::nullopt;
}

bool lists(std::string_view list, std::string_view wanted) noexcept {
  while (!list.empty()) {
    const auto item = list.substr(0, list.find(','));
    if (same_name(trimmed(item), wanted)) return true;
    list.remove_prefix(std::min(list.size(), item.size() + 1));
  }
  return false;
}

problem read_connection(request_head& head) {
  const auto connection = head.joined("Connection");
  head.keeps_alive = head.minor_version == 1 ? !lists(connection, "close") : lists(connection, "keep-alive");

  const auto expectation = head.joined("Expect");
  if (expectation.empty() || head.minor_version == 0) return std::nullopt;
  if (!same_name(expectation, "100-continue")) {
    return refusal(417, "expectation_failed", "The only expectation understood is 100-continue.");
  }
  head.expects_continue = head.chunked || head.content_length > 0;
  return std::nullopt;
}

}  // namespace

bool is_field_value(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

bool is_field_line(std::string_view line) noexcept {
  // A blank in front (a folded line) or before the colon fails the token check, and must.
  const auto colon = line.find(':');
  return colon != std::string_view::npos && is_token(line.substr(0, colon)) &&
         is_field_value(line.substr(colon + 1));
}

std::optional<std::string_view> request_head::single(std::string_view name) const noexcept {
  std::optional<std::string_view> found;
  for (const auto& field : headers) {
    if (!same_name(field.name, name)) continue;
    if (found) return std::nullopt;
    found = field.value;
  }
  return found;
}

std::string request_head::joined(std::string_view name) const {
  std::string all;
  for (const auto& field : headers) {
    if (!same_name(field.name, name)) continue;
    if (!all.empty()) all += ',';
    all += field.value;
  }
  return all;
}

std::variant<request_head, error_answer> parse_head(std::string_view text) {
  request_head head;
  const auto line = take_line(text);
  if (!line) return malformed("The request line must end with CR LF.");
  if (auto wrong = read_request_line(*line, head)) return *std::move(wrong);
  if (auto wrong = read_headers(text, head)) return *std::move(wrong);
  if (auto wrong = check_host(head)) return *std::move(wrong);
  if (auto wrong = read_body_length(head)) return *std::move(wrong);
  if (auto wrong = read_connection(head)) return *std::move(wrong);
  return head;
}

}  // namespace staging
