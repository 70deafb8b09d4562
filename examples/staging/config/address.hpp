// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace staging {

/// The one spelling of an IPv4 or IPv6 address, so that equal addresses are equal text; empty if it is
/// neither.
///
/// An IPv4 address mapped into IPv6 (`::ffff:192.0.2.1`, as a dual-stack socket names its IPv4 peers) becomes
/// plain IPv4: a proxy configured by its IPv4 address is recognised whichever way its connection came in.
[[nodiscard]] std::optional<std::string> canonical_address(std::string_view text);

/// The same for a network such as `10.0.0.0/8`, or a single address.
[[nodiscard]] std::optional<std::string> canonical_network(std::string_view text);

}  // namespace staging
