// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/retries/client.hpp"

#include <string_view>
#include <vector>

namespace studies::guards {

enum class retry_entrant {
  none,          ///< makes no retry
  peer,          ///< with its own waits
  other_budget,  ///< the budget of a peer, with our waits
  variant,       ///< ours without one of its parts
  ours,
  ours_with_breaker,
  planted,  ///< for the proof that each goal can be missed
};

struct retry_policy {
  std::string_view name;
  retry_entrant kind;
  make_client make;
};

[[nodiscard]] std::vector<retry_policy> retry_policies();

}  // namespace studies::guards
