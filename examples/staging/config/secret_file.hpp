// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/config_error.hpp"
#include "config/variables.hpp"

#include <string>

namespace staging {

/// The secret in a file, without one line end at its end. Throws `config_error` when the file can't be read,
/// is empty or holds more than 64 KiB.
[[nodiscard]] std::string content_of(const variable& secret, const std::string& file);

/// A refusal of the variable that names the file of a secret. The value is shown only if its directory
/// exists: anything else may be the secret itself, in the wrong variable.
[[nodiscard]] config_error refused_file(const variable& secret, const std::string& file,
                                        const std::string& why);

}  // namespace staging
