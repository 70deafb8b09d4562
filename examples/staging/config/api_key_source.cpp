// SPDX-License-Identifier: BSL-1.0
#include "config/api_key_source.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace staging {

std::string random_api_key() {
  std::array<unsigned char, 16> bytes{};
  if (getentropy(bytes.data(), bytes.size()) != 0) {
    throw std::system_error(errno, std::generic_category(), "no random API key");
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string key;
  key.reserve(2 * bytes.size());
  for (const auto byte : bytes) {
    key += digits[byte >> 4U];
    key += digits[byte & 0xfU];
  }
  return key;
}

}  // namespace staging
