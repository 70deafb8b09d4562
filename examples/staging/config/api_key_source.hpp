// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace staging {

/// A fresh API key for a server that was given none: 32 hexadecimal digits, 128 bits from the kernel's
/// generator.
///
/// Throws `std::system_error` when the kernel has no randomness to give: a guessable key is worse than no
/// server.
[[nodiscard]] std::string random_api_key();

}  // namespace staging
