// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/settings.hpp"

namespace staging {

/// Builds all that the configuration decides about, and connects to nothing: whatever a start would refuse is
/// refused here too, but for the port. Throws what `serve` throws.
void check(const settings& from);

/// Serves until SIGTERM or SIGINT arrives. Returns the exit status. Throws an exception derived from
/// `std::exception` if the server cannot start.
[[nodiscard]] int serve(const settings& from);

}  // namespace staging
