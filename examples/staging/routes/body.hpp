// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/message.hpp"

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace staging {

/// The JSON object in a request's body, read field by field. Every refusal is a 400 that names the field.
class body {
 public:
  /// Throws a 400 when the body is missing or not a JSON object, or holds a field twice or one that is not
  /// among `known`: a misspelt one must not be ignored.
  body(const request& from, std::initializer_list<std::string_view> known);

  /// Whether the field is there, whatever it holds.
  [[nodiscard]] bool has(std::string_view field) const { return find(field) != nullptr; }

  /// A text of 1 to `longest` bytes that says something: not blank, no control characters. Throws a 400 when
  /// it is missing or anything else.
  [[nodiscard]] std::string text(std::string_view field, std::size_t longest) const;

  /// A number within [least, most]; nothing when the field is missing; throws a 400 for anything else.
  [[nodiscard]] std::optional<double> number(std::string_view field, double least, double most) const;

 private:
  [[nodiscard]] const nlohmann::json* find(std::string_view field) const;

  nlohmann::json fields_;
};

}  // namespace staging
