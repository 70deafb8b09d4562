// SPDX-License-Identifier: BSL-1.0
#include "config/endpoint_kind.hpp"

#include "config/address.hpp"
#include "config/text.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>
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

bool is_port(std::string_view text) {
  const auto port = parse_number<std::uint16_t>(text);
  return port && *port != 0;
}

/// What stands behind the host: nothing, or a colon and a port; `nullopt` when there is no host.
std::optional<std::string_view> behind_host(std::string_view authority) {
  std::string_view host;
  if (authority.starts_with('[')) {
    const auto bracket = authority.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    host = authority.substr(1, bracket - 1);
    if (host.find(':') == std::string_view::npos || !canonical_address(host)) return std::nullopt;
    return authority.substr(bracket + 1);
  }
  host = authority.substr(0, authority.find(':'));
  if (!canonical_address(host) && !is_host_name(host)) return std::nullopt;
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

constexpr std::string_view port_rule = "its port must be a whole number from 1 to 65535";

std::string fault_of_base_url(std::string_view url) {
  const auto parts = parts_of(url);
  return std::string{parts && has_wrong_port(parts->authority) ? port_rule : ""};
}

/// An option that takes one of a few words. libpq checks them when it connects: to the breaker a wrong one
/// would look like a database that is down for ever.
struct choice {
  std::string_view option;
  std::string_view allowed;
};
constexpr std::string_view tls_versions = "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3";
constexpr std::array<choice, 8> choices{
    {{"sslmode", "disable, allow, prefer, require, verify-ca, verify-full"},
     {"sslcertmode", "disable, allow, require"},
     {"gssencmode", "disable, prefer, require"},
     {"channel_binding", "disable, prefer, require"},
     {"target_session_attrs", "any, read-write, read-only, primary, standby, prefer-standby"},
     {"load_balance_hosts", "disable, random"},
     {"ssl_min_protocol_version", tls_versions},
     {"ssl_max_protocol_version", tls_versions}}};
constexpr std::array<std::string_view, 6> counts{"connect_timeout",  "keepalives",
                                                 "keepalives_idle",  "keepalives_interval",
                                                 "keepalives_count", "tcp_user_timeout"};

using connection_options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

/// Null when libpq can't read the text.
connection_options options_in(std::string_view text) {
  // libpq's own message is dropped: it quotes parts of the string, the password among them.
  return {
      std::ranges::any_of(text, is_control) ? nullptr : PQconninfoParse(std::string{text}.c_str(), nullptr),
      &PQconninfoFree};
}

std::string fault_of_option(std::string_view option, std::string_view value) {
  if (option == "port") {
    // One for all hosts or one each, where an empty one is the default.
    const auto ports = items_of(value);
    const bool fit = std::ranges::all_of(ports, [](auto port) { return port.empty() || is_port(port); });
    return std::string{fit ? "" : port_rule};
  }
  if (std::ranges::find(counts, option) != counts.end() && !value.empty()) {
    const auto digits = value.substr(value.starts_with('-') ? 1 : 0);  // below zero: libpq waits for ever
    return parse_number<int>(digits) ? "" : fmt::format("its {} must be a whole number", option);
  }
  const auto* const chosen = std::ranges::find(choices, option, &choice::option);
  if (chosen == choices.end()) return {};
  const bool is_version = chosen->allowed == tls_versions;  // of any case, or empty
  const bool fits = std::ranges::any_of(items_of(chosen->allowed), [&](auto one) {
    return one == value || (is_version && equal_but_for_case(one, value));
  });
  if (fits || (is_version && value.empty())) return {};
  return fmt::format("its {} must be one of {}", option, chosen->allowed);
}

std::string fault_of_connection(std::string_view text) {
  const auto options = options_in(text);
  if (!options) return {};
  std::size_t hosts = 1;
  std::size_t addresses = 0;
  std::size_t ports = 1;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword{option->keyword};
    if (auto fault = fault_of_option(keyword, option->val); !fault.empty()) return fault;
    if (keyword == "host") hosts = items_of(option->val).size();
    if (keyword == "hostaddr") addresses = items_of(option->val).size();
    if (keyword == "port") ports = items_of(option->val).size();
  }
  if (ports == 1 || ports == (addresses > 0 ? addresses : hosts)) return {};
  return "its port must be one for all hosts, or one for each of them";
}

bool is_connection_string(std::string_view text) {
  const auto options = options_in(text);
  if (!options) return false;
  bool names_something = false;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    names_something = names_something || option->val != nullptr;
  }
  return names_something && fault_of_connection(text).empty();
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
                   [](std::string_view text) { return text == "localhost" || canonical_address(text); });
}

value_kind<std::vector<std::string>> network_list() {
  return {"IPv4 or IPv6 addresses or networks such as 10.0.0.0/8, separated by commas",
          [](std::string_view text) -> std::optional<std::vector<std::string>> {
            std::vector<std::string> networks;
            for (const auto item : items_of(text)) {
              auto network = canonical_network(item);
              if (!network) return std::nullopt;
              networks.push_back(*std::move(network));
            }
            return networks;
          }};
}

value_kind<std::string> host_name() {
  return text_that("a host name or an IP address",
                   [](std::string_view text) { return canonical_address(text) || is_host_name(text); });
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
  auto kind =
      text_that("a postgresql:// or postgres:// URI, or libpq's key=value pairs", is_connection_string);
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
