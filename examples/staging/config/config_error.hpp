// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/variables.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace staging {

/// The configuration can't be used; `what()` is one line of printable ASCII, `VARIABLE='value': what is
/// allowed`.
///
/// The value is escaped and cut to a readable length; that of a secret variable, or one that looks as if it
/// held credentials, shows as `***`. A variable that is not set shows as `''`.
class config_error : public std::runtime_error {
 public:
  config_error(const variable& culprit, std::string_view value, std::string_view allowed);

  /// Of a name that is no secret's: `value` is shown.
  config_error(std::string_view name, std::string_view value, std::string_view allowed);
};

/// A text as messages show it: printable ASCII, cut to a readable length.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace staging
