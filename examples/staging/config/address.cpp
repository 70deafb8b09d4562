// SPDX-License-Identifier: BSL-1.0
#include "config/address.hpp"

#include "http/client_address.hpp"

namespace staging {

std::optional<std::string> canonical_address(std::string_view text) {
  const auto address = ip_address::parse(text);
  if (!address) return std::nullopt;
  return address->text();
}

std::optional<std::string> canonical_network(std::string_view text) {
  const auto network = ip_network::parse(text);
  if (!network) return std::nullopt;
  return network->text();
}

}  // namespace staging
