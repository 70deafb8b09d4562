// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/settings.hpp"

namespace staging {

/// Raises the limit of open files as far as the system allows, and lowers the number of connections to what
/// fits below it. Otherwise clients that hold their connections would leave none for other clients and for
/// the dependencies. A warning says so.
void fit_to_descriptors(settings& wanted);

/// Builds all that the configuration decides about, and connects to nothing: whatever a start would refuse is
/// refused here too, but for the port. Throws what `serve` throws.
void check(const settings& from);

/// Serves until SIGTERM or SIGINT arrives. Returns the exit status. Throws an exception derived from
/// `std::exception` if the server cannot start.
[[nodiscard]] int serve(const settings& from);

}  // namespace staging
