// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace staging {

/// Looks a variable up; empty when it is not set. Injected, so that tests need not touch the process.
using environment = std::function<std::optional<std::string>(std::string_view name)>;

/// The environment of this process. Read it before threads start: `getenv` races with `setenv`.
[[nodiscard]] environment process_environment();

}  // namespace staging
