// SPDX-License-Identifier: BSL-1.0
#include "config/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace staging {
namespace {

std::optional<std::string> spelled(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(family, address, text.data(), static_cast<socklen_t>(text.size())) == nullptr)
    return std::nullopt;
  return std::string{text.data()};
}

}  // namespace

std::optional<std::string> canonical_address(std::string_view text) {
  // inet_pton stops at a zero byte and would take what stands before it.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated{text};

  in_addr v4{};
  if (inet_pton(AF_INET, terminated.c_str(), &v4) == 1) return spelled(AF_INET, &v4);

  in6_addr v6{};
  if (inet_pton(AF_INET6, terminated.c_str(), &v6) != 1) return std::nullopt;
  std::array<unsigned char, 16> bytes{};
  static_assert(sizeof v6 == sizeof bytes);
  std::memcpy(bytes.data(), &v6, sizeof bytes);
  constexpr std::array<unsigned char, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(bytes.data(), mapped_prefix.data(), mapped_prefix.size()) == 0) {
    return spelled(AF_INET, bytes.data() + mapped_prefix.size());
  }
  return spelled(AF_INET6, &v6);
}

}  // namespace staging
