// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "catch2.hpp"

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

// So that a failing test says what it saw.
namespace Catch {
template <class Enum>
requires std::is_enum_v<Enum> && requires(Enum value) {
  { to_string(value) } -> std::convertible_to<std::string_view>;
}
struct StringMaker<Enum> {
  static std::string convert(Enum value) { return std::string{to_string(value)}; }
};
}  // namespace Catch
