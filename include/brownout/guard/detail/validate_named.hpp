// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <string>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Validates the options of a guard that is called `name`. Options that replace others have the same name or
/// none. `kind`: the class of the guard, such as "retry_budget". Throws `std::invalid_argument`, whose text
/// begins with class and name.
template <class Options>
void validate_named(std::string_view kind, std::string_view name, const Options& options) {
  const std::string whose{name.substr(0, Options::longest_name)};
  validate_for(std::string{kind} + " '" + whose + "'", [&] {
    options.validate();
    if (!options.name.empty() && options.name != name) {
      invalid_option(std::string{kind} + "_options.name", "'" + options.name + "'", "'" + whose + "'");
    }
  });
}

/// The same for a guard that is being built.
template <class Options>
[[nodiscard]] Options valid(std::string_view kind, Options options) {
  validate_named(kind, options.name, options);
  return options;
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
