// SPDX-License-Identifier: BSL-1.0
#include "config/config_error.hpp"

#include <fmt/format.h>

#include <string>

namespace staging {
namespace {

constexpr std::size_t longest_shown = 120;

}  // namespace

// Start-up errors go to terminals and log collectors: a stray line end or escape sequence must not reach
// them.
std::string escaped(std::string_view value) {
  std::string text;
  for (const char symbol : value.substr(0, longest_shown)) {
    const auto code = static_cast<unsigned char>(symbol);
    if (symbol == '\'' || symbol == '\\') {
      text += '\\';
      text += symbol;
    } else if (code >= 0x20 && code < 0x7f) {
      text += symbol;
    } else {
      text += fmt::format("\\x{:02x}", code);
    }
  }
  if (value.size() > longest_shown) text += "...";
  return text;
}

namespace {

std::string shown(const variable& culprit, std::string_view value) {
  if (value.empty()) return {};
  // No public variable takes an '@': what has one is most likely a URL with a password in the wrong place.
  if (culprit.secret || value.find('@') != std::string_view::npos) return "***";
  return escaped(value);
}

}  // namespace

config_error::config_error(const variable& culprit, std::string_view value, std::string_view allowed)
    : std::runtime_error(fmt::format("{}='{}': {}", culprit.name, shown(culprit, value), allowed)) {}

config_error::config_error(std::string_view name, std::string_view value, std::string_view allowed)
    : std::runtime_error(fmt::format("{}='{}': {}", escaped(name), escaped(value), allowed)) {}

}  // namespace staging
