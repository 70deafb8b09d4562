// SPDX-License-Identifier: BSL-1.0
#include "config/environment.hpp"

#include <unistd.h>

#include <string_view>

namespace staging {

environment process_environment() {
  environment all;
  for (auto* const* entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const auto equals = text.find('=');
    // Of a name that is there twice the first one counts, as for `getenv`.
    if (equals != std::string_view::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

}  // namespace staging
