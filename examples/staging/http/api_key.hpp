// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <string_view>

namespace staging {

/// The key that opens the API, kept only as its SHA-256 digest.
class api_key {
 public:
  /// Throws `std::invalid_argument` when `key` is empty: an API that an empty header opens is no accident to
  /// allow.
  explicit api_key(std::string_view key);

  /// Whether `candidate` is the key. Digests of equal length are compared, in a time that does not depend on
  /// where they differ, so neither the key's length nor its first bytes can be timed.
  [[nodiscard]] bool matches(std::string_view candidate) const;

 private:
  std::array<unsigned char, 32> digest_;
};

}  // namespace staging
