// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"

#include <stop_token>

namespace staging {

/// Limits of one operation of a client. Probes and calls alike get theirs from the staging system.
struct call_context {
  brownout::time_point deadline;  ///< from then on the operation has timed out
  std::stop_token stop{};         ///< requested when the server gives up what is under way
};

}  // namespace staging
