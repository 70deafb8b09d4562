// SPDX-License-Identifier: BSL-1.0
#include "config/value_kind.hpp"

#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace staging::kinds {
namespace {

using namespace text;

std::optional<double> parse_decimal(std::string_view text) {
  return parse_number<double>(text, std::chars_format::fixed);
}

value_kind<brownout::duration> time_span(double least, double most, double nanoseconds_per_unit) {
  auto number = decimal(least, most);
  return {number.allowed,
          [parse = number.parse,
           nanoseconds_per_unit](std::string_view text) -> std::optional<brownout::duration> {
            const auto value = parse(text);
            if (!value) return std::nullopt;
            return brownout::duration{std::llround(*value * nanoseconds_per_unit)};
          }};
}

std::optional<std::array<double, dependency_count>> parse_weights(std::string_view text) {
  std::array<std::optional<double>, dependency_count> found{};
  for (const auto item : items_of(text)) {
    const auto colon = item.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto which = dependency_named(item.substr(0, colon));
    const auto weight = parse_decimal(item.substr(colon + 1));
    if (!which || !weight || *weight > 1 || found.at(index(*which))) return std::nullopt;
    found.at(index(*which)) = weight;
  }
  std::array<double, dependency_count> parsed{};
  for (std::size_t i = 0; i < dependency_count; ++i) {
    if (!found.at(i)) return std::nullopt;
    parsed.at(i) = *found.at(i);
  }
  // Weights are written in decimal: a third can't be exact.
  constexpr double tolerance = 1e-6;
  if (std::abs(std::accumulate(parsed.begin(), parsed.end(), 0.0) - 1) > tolerance) return std::nullopt;
  return parsed;
}

}  // namespace

value_kind<std::uint64_t> whole_number_within(std::uint64_t least, std::uint64_t most) {
  return {fmt::format("a whole number from {} to {}", least, most),
          [least, most](std::string_view text) -> std::optional<std::uint64_t> {
            const auto value = parse_number<std::uint64_t>(text);
            if (!value || *value < least || *value > most) return std::nullopt;
            return value;
          }};
}

value_kind<double> decimal(double least, double most) {
  return {fmt::format("a decimal number from {} to {}", least, most),
          [least, most](std::string_view text) -> std::optional<double> {
            const auto value = parse_decimal(text);
            if (!value || *value < least || *value > most) return std::nullopt;
            return value;
          }};
}

value_kind<double> decimal_above(double bound, double most) {
  return {fmt::format("a decimal number above {} and up to {}", bound, most),
          [bound, most](std::string_view text) -> std::optional<double> {
            const auto value = parse_decimal(text);
            if (!value || *value <= bound || *value > most) return std::nullopt;
            return value;
          }};
}

value_kind<brownout::duration> seconds(double least, double most) {
  auto kind = time_span(least, most, 1e9);
  kind.allowed += " (seconds)";
  return kind;
}

value_kind<brownout::duration> milliseconds(double least, double most) {
  auto kind = time_span(least, most, 1e6);
  kind.allowed += " (milliseconds)";
  return kind;
}

value_kind<bool> boolean() {
  return {"true, false, 1, 0, yes, no, on or off", [](std::string_view text) -> std::optional<bool> {
            for (const auto* const word : {"true", "1", "yes", "on"}) {
              if (equal_but_for_case(text, word)) return true;
            }
            for (const auto* const word : {"false", "0", "no", "off"}) {
              if (equal_but_for_case(text, word)) return false;
            }
            return std::nullopt;
          }};
}

value_kind<log_level> level_of_log() {
  return {"debug, info, warning or error", [](std::string_view text) -> std::optional<log_level> {
            for (const auto level : all_log_levels) {
              if (equal_but_for_case(text, to_string(level))) return level;
            }
            return std::nullopt;
          }};
}

value_kind<std::string> token(std::size_t shortest, std::size_t longest) {
  return {fmt::format("{} to {} printable ASCII characters without spaces", shortest, longest),
          [shortest, longest](std::string_view text) -> std::optional<std::string> {
            if (text.size() < shortest || text.size() > longest || !std::ranges::all_of(text, is_visible)) {
              return std::nullopt;
            }
            return std::string{text};
          }};
}

value_kind<std::string> password() {
  return {"text without control characters", [](std::string_view text) -> std::optional<std::string> {
            if (std::ranges::any_of(text, is_control)) return std::nullopt;
            return std::string{text};
          }};
}

value_kind<std::array<double, dependency_count>> weights() {
  return {"openai, database, redis and s3 once each as name:weight, each weight from 0 to 1, together 1",
          parse_weights};
}

}  // namespace staging::kinds
