// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/dependency.hpp"
#include "config/log_level.hpp"

#include "brownout/core/clock.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace staging {

/// A kind of value: how its text is read and what is allowed, told by the same limits.
///
/// No kind takes blanks around the value, control characters, or text after the value.
template <class T>
struct value_kind {
  std::string allowed;  ///< completes "must be …"
  std::function<std::optional<T>(std::string_view)> parse;
  std::function<std::string(std::string_view)> fault = {};  ///< see `variable::fault`
};

namespace kinds {

[[nodiscard]] value_kind<std::uint64_t> whole_number_within(std::uint64_t least, std::uint64_t most);

/// Digits only: no sign, no exponent.
template <std::unsigned_integral T>
[[nodiscard]] value_kind<T> whole_number(T least, T most) {
  auto wide = whole_number_within(least, most);
  return {.allowed = wide.allowed, .parse = [parse = wide.parse](std::string_view text) -> std::optional<T> {
            const auto value = parse(text);
            if (!value) return std::nullopt;
            return static_cast<T>(*value);
          }};
}

/// Digits with an optional decimal point: no sign, no exponent, no infinity, no NaN.
[[nodiscard]] value_kind<double> decimal(double least, double most);

/// The same, where the least itself is too little.
[[nodiscard]] value_kind<double> decimal_above(double bound, double most);

/// Decimal seconds.
[[nodiscard]] value_kind<brownout::duration> seconds(double least, double most);

/// Decimal milliseconds.
[[nodiscard]] value_kind<brownout::duration> milliseconds(double least, double most);

[[nodiscard]] value_kind<bool> boolean();
[[nodiscard]] value_kind<log_level> level_of_log();

/// Visible ASCII only, so that it can go into an HTTP header as it is.
[[nodiscard]] value_kind<std::string> token(std::size_t shortest, std::size_t longest);

/// Any characters but control characters.
[[nodiscard]] value_kind<std::string> password();

/// `name:weight` for each dependency, separated by commas.
[[nodiscard]] value_kind<std::array<double, dependency_count>> weights();

}  // namespace kinds
}  // namespace staging
