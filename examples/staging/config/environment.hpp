// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <map>
#include <string>

namespace staging {

/// The variables of a process: name and value.
using environment = std::map<std::string, std::string, std::less<>>;

/// A copy of the environment of this process. Read it before threads start: others may change it.
[[nodiscard]] environment process_environment();

}  // namespace staging
