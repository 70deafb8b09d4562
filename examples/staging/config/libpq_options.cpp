// SPDX-License-Identifier: BSL-1.0
#include "config/libpq_options.hpp"

#include "config/text.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace staging {
namespace {

using namespace text;

/// An option that takes one of a few words.
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

/// An option that has a value.
struct given_value {
  std::string value;
  std::string variable;  ///< that the value is from; empty: the connection string names it
};
using given_options = std::map<std::string, given_value, std::less<>>;

using parsed_options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

/// Null when libpq can't read the text.
parsed_options parsed(std::string_view text) {
  // libpq's own message is dropped: it quotes parts of the string, the password among them.
  return {
      std::ranges::any_of(text, is_control) ? nullptr : PQconninfoParse(std::string{text}.c_str(), nullptr),
      &PQconninfoFree};
}

given_options options_of(std::string_view connection, const environment& from) {
  given_options all;
  const auto known = parsed(connection);
  for (const auto* option = known.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      all.emplace(option->keyword, given_value{option->val, {}});
    } else if (option->envvar != nullptr) {
      const auto found = from.find(option->envvar);
      if (found != from.end()) all.emplace(option->keyword, given_value{found->second, option->envvar});
    }
  }
  return all;
}

bool is_numeric_address(const std::string& text) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (getaddrinfo(text.c_str(), nullptr, &hints, &found) != 0) return false;
  freeaddrinfo(found);
  return true;
}

std::string fault_of_choice(const choice& one, std::string_view value) {
  const bool is_version = one.allowed == tls_versions;  // of any case, or empty
  const bool fits = std::ranges::any_of(items_of(one.allowed), [&](auto word) {
    return word == value || (is_version && equal_but_for_case(word, value));
  });
  if (fits || (is_version && value.empty())) return {};
  return fmt::format("its {} must be one of {}", one.option, one.allowed);
}

std::string fault_of_option(std::string_view option, std::string_view value) {
  const auto each_item = [&](auto fits) {
    return std::ranges::all_of(items_of(value), [&](auto item) { return item.empty() || fits(item); });
  };
  // One for all hosts or one each, where an empty one is the default.
  if (option == "port") return std::string{each_item(is_port) ? "" : port_fault};
  if (option == "hostaddr") {
    return each_item([](auto item) { return is_numeric_address(std::string{item}); })
               ? ""
               : "its hostaddr must be an IPv4 or IPv6 address";
  }
  if (std::ranges::find(counts, option) != counts.end() && !value.empty()) {
    const auto digits = value.substr(value.starts_with('-') ? 1 : 0);  // below zero: libpq waits for ever
    return parse_number<int>(digits) ? "" : fmt::format("its {} must be a whole number", option);
  }
  const auto* const chosen = std::ranges::find(choices, option, &choice::option);
  return chosen == choices.end() ? std::string{} : fault_of_choice(*chosen, value);
}

/// What is wrong, and the options that it is about.
struct fault {
  std::string said;
  std::vector<std::string_view> options;
};

std::string_view value_of(const given_options& all, std::string_view option) {
  const auto found = all.find(option);
  return found == all.end() ? std::string_view{} : std::string_view{found->second.value};
}

/// Options that do not go together.
std::optional<fault> fault_between(const given_options& all) {
  const auto number = [&](std::string_view option) -> std::size_t {
    const auto list = value_of(all, option);
    return list.empty() ? 0 : items_of(list).size();
  };
  const auto hosts = number("host");
  const auto addresses = number("hostaddr");
  if (hosts > 0 && addresses > 0 && hosts != addresses)
    return fault{"its hostaddr must be one for each host", {"hostaddr", "host"}};
  const auto ports = number("port");
  if (ports > 1 && ports != std::max<std::size_t>({hosts, addresses, 1}))
    return fault{"its port must be one for all hosts, or one for each of them", {"port", "hostaddr", "host"}};
  const auto rank = [](std::string_view version) {
    const auto known = items_of(tls_versions);
    return std::ranges::find_if(known, [&](auto one) { return equal_but_for_case(one, version); }) -
           known.begin();
  };
  const auto least = value_of(all, "ssl_min_protocol_version");
  const auto most = value_of(all, "ssl_max_protocol_version");
  if (!least.empty() && !most.empty() && rank(least) > rank(most)) {
    return fault{"its ssl_min_protocol_version must not be above its ssl_max_protocol_version",
                 {"ssl_min_protocol_version", "ssl_max_protocol_version"}};
  }
  return std::nullopt;
}

std::optional<fault> fault_of(const given_options& all) {
  for (const auto& [option, given] : all) {
    if (auto said = fault_of_option(option, given.value); !said.empty())
      return fault{std::move(said), {option}};
  }
  return fault_between(all);
}

}  // namespace

bool is_port(std::string_view text) {
  const auto port = parse_number<std::uint16_t>(text);
  return port && *port != 0;
}

bool names_libpq_option(std::string_view connection) {
  return !options_of(connection, {}).empty();
}

std::string fault_of_connection(std::string_view connection) {
  const auto found = fault_of(options_of(connection, {}));
  return found ? found->said : std::string{};
}

std::optional<libpq_variable_fault> fault_of_libpq_variables(std::string_view connection,
                                                             const environment& from) {
  const auto all = options_of(connection, from);
  const auto found = fault_of(all);
  if (!found) return std::nullopt;
  for (const auto option : found->options) {
    const auto given = all.find(option);
    if (given != all.end() && !given->second.variable.empty())
      return libpq_variable_fault{given->second.variable, given->second.value, found->said};
  }
  return std::nullopt;
}

}  // namespace staging
