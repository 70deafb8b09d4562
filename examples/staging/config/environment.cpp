// SPDX-License-Identifier: BSL-1.0
#include "config/environment.hpp"

#include <cstdlib>

namespace staging {

environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* const value = std::getenv(std::string{name}.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string{value};
  };
}

}  // namespace staging
