// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace staging {

struct settings;

/// One environment variable: what people are told about it, and how it is read.
struct variable {
  std::string_view name;
  std::string_view unit;           ///< empty: it has none
  std::string_view default_value;  ///< as one would write it; empty: there is none
  std::string_view meaning;
  std::string allowed;  ///< completes "must be …"
  bool secret;          ///< its value is never shown
  /// Stores a value in its place; false, and nothing stored, when it is not allowed.
  std::function<bool(settings&, std::string_view)> read;
  /// What is wrong with a value that is not allowed, when that can be said more closely; continues "must be
  /// ..., ". May be null.
  std::function<std::string(std::string_view)> fault;

  /// The variable that names a file with the value, for a secret.
  [[nodiscard]] std::string name_of_file() const { return std::string{name} + "_FILE"; }
};

/// All variables the server reads. Reading, defaults and help come from this one table.
[[nodiscard]] std::span<const variable> variables();

/// Every variable with unit, default, what is allowed and meaning, for `--help`.
[[nodiscard]] std::string help_text();

}  // namespace staging
