// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/value_kind.hpp"

#include <string>
#include <vector>

/// Where things are: addresses, URLs and the names on the other side.
namespace staging::kinds {

[[nodiscard]] value_kind<std::string> listening_address();
[[nodiscard]] value_kind<std::vector<std::string>> network_list();
[[nodiscard]] value_kind<std::string> host_name();

/// An http or https URL to which a path can be appended: trailing slashes are taken off.
[[nodiscard]] value_kind<std::string> base_url();

/// What libpq can parse, naming at least one thing; see `fault_of_connection`.
[[nodiscard]] value_kind<std::string> connection_string();

[[nodiscard]] value_kind<std::string> bucket_name();
[[nodiscard]] value_kind<std::string> region();

}  // namespace staging::kinds
