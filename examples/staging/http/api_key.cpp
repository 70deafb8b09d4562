// SPDX-License-Identifier: BSL-1.0
#include "http/api_key.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdexcept>

namespace staging {

namespace {

std::array<unsigned char, 32> sha256(std::string_view text) {
  // Fetched once, for the whole process: EVP_sha256() is looked up again by each digest.
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, method, nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  return digest;
}

}  // namespace

api_key::api_key(std::string_view key) : digest_(sha256(key)) {
  if (key.empty()) throw std::invalid_argument("api_key: must not be empty");
}

bool api_key::matches(std::string_view candidate) const {
  const auto digest = sha256(candidate);
  return CRYPTO_memcmp(digest.data(), digest_.data(), digest_.size()) == 0;
}

}  // namespace staging
