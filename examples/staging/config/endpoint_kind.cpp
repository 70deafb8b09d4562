// SPDX-License-Identifier: BSL-1.0
#include "config/endpoint_kind.hpp"

#include "config/libpq_options.hpp"
#include "config/text.hpp"
#include "http/client_address.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace staging::kinds {
namespace {

using namespace text;

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && !label.starts_with('-') && !label.ends_with('-') &&
         std::ranges::all_of(label, [](char symbol) {
           return is_alphanumeric(symbol) || symbol == '-' ||
                  symbol == '_';  // '_': names of container networks
         });
}

bool is_host_name(std::string_view name) {
  if (name.size() > 253) return false;
  std::string_view last = name;
  for (;;) {
    const auto dot = name.find('.');
    last = name.substr(0, dot);
    if (!is_label(last)) return false;
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
  }
  // A last label of digits is a broken IPv4 address, not a name: 127.0.0 or 300.1.1.1.
  return !std::ranges::all_of(last, is_digit);
}

/// What stands behind the host: nothing, or a colon and a port; `nullopt` when there is no host.
std::optional<std::string_view> behind_host(std::string_view authority) {
  std::string_view host;
  if (authority.starts_with('[')) {
    const auto bracket = authority.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    host = authority.substr(1, bracket - 1);
    if (host.find(':') == std::string_view::npos || !ip_address::parse(host)) return std::nullopt;
    return authority.substr(bracket + 1);
  }
  host = authority.substr(0, authority.find(':'));
  if (!ip_address::parse(host) && !is_host_name(host)) return std::nullopt;
  return authority.substr(host.size());
}

bool has_wrong_port(std::string_view authority) {
  const auto rest = behind_host(authority);
  return rest && rest->starts_with(':') && !is_port(rest->substr(1));
}

bool is_authority(std::string_view authority) {
  const auto rest = behind_host(authority);
  return rest && (rest->empty() || (rest->starts_with(':') && is_port(rest->substr(1))));
}

// What RFC 3986 lets a path hold, except quotes.
constexpr bool is_path_symbol(char symbol) {
  constexpr std::string_view others = "/-._~%!$&()*+,;=:@";
  return is_alphanumeric(symbol) || others.find(symbol) != std::string_view::npos;
}

/// A base URL behind its scheme, in two; `nullopt` when it has another scheme.
struct base_url_parts {
  std::string_view authority;
  std::string_view path;
};
std::optional<base_url_parts> parts_of(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  const auto scheme = url.substr(0, scheme_end);
  if (!equal_but_for_case(scheme, "http") && !equal_but_for_case(scheme, "https")) return std::nullopt;
  url.remove_prefix(scheme_end + 3);
  const auto slash = std::min(url.find('/'), url.size());
  return base_url_parts{url.substr(0, slash), url.substr(slash)};
}

bool is_base_url(std::string_view url) {
  // No user name (credentials have variables of their own), query or fragment (a path is appended).
  const auto parts = parts_of(url);
  return parts && is_authority(parts->authority) && std::ranges::all_of(parts->path, is_path_symbol);
}

std::string fault_of_base_url(std::string_view url) {
  const auto parts = parts_of(url);
  return std::string{parts && has_wrong_port(parts->authority) ? port_fault : ""};
}

value_kind<std::string> text_that(std::string allowed, bool (*is_allowed)(std::string_view)) {
  return {std::move(allowed), [is_allowed](std::string_view text) -> std::optional<std::string> {
            if (!is_allowed(text)) return std::nullopt;
            return std::string{text};
          }};
}

}  // namespace

value_kind<std::string> listening_address() {
  return text_that("an IPv4 address, an IPv6 address or localhost",
                   [](std::string_view text) { return text == "localhost" || ip_address::parse(text); });
}

value_kind<std::vector<std::string>> network_list() {
  return {"IPv4 or IPv6 addresses or networks such as 10.0.0.0/8, separated by commas",
          [](std::string_view text) -> std::optional<std::vector<std::string>> {
            std::vector<std::string> networks;
            for (const auto item : items_of(text)) {
              const auto network = ip_network::parse(item);
              if (!network) return std::nullopt;
              networks.push_back(network->text());
            }
            return networks;
          }};
}

value_kind<std::string> host_name() {
  return text_that("a host name or an IP address",
                   [](std::string_view text) { return ip_address::parse(text) || is_host_name(text); });
}

value_kind<std::string> base_url() {
  return {"an http:// or https:// URL without user name, query or fragment",
          [](std::string_view text) -> std::optional<std::string> {
            if (!is_base_url(text)) return std::nullopt;
            while (text.ends_with('/')) text.remove_suffix(1);
            return std::string{text};
          },
          fault_of_base_url};
}

value_kind<std::string> connection_string() {
  auto kind = text_that(
      "a postgresql:// or postgres:// URI, or libpq's key=value pairs",
      [](std::string_view text) { return names_libpq_option(text) && fault_of_connection(text).empty(); });
  kind.fault = fault_of_connection;
  return kind;
}

value_kind<std::string> bucket_name() {
  return text_that("3 to 63 lower-case letters, digits, dots and hyphens, a letter or digit at both ends",
                   [](std::string_view text) {
                     const auto at_ends = [](char symbol) { return is_lower(symbol) || is_digit(symbol); };
                     return text.size() >= 3 && text.size() <= 63 && at_ends(text.front()) &&
                            at_ends(text.back()) && std::ranges::all_of(text, [&](char symbol) {
                              return at_ends(symbol) || symbol == '.' || symbol == '-';
                            });
                   });
}

value_kind<std::string> region() {
  return text_that("1 to 63 letters, digits and hyphens", [](std::string_view text) {
    return !text.empty() && text.size() <= 63 &&
           std::ranges::all_of(text, [](char symbol) { return is_alphanumeric(symbol) || symbol == '-'; });
  });
}

}  // namespace staging::kinds
