// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/any_of.hpp"
#include "brownout/window/consecutive_failures.hpp"
#include "brownout/window/failure_balance.hpp"

namespace brownout {

/// What a breaker opens at that is told nothing: 10 failures in a row, or a balance of 20 failures more than
/// successes.
///
/// The row finds a dependency that is gone within 10 calls; the balance one that fails more than half of
/// them. Neither needs a clock or a window, so it works the same at one call a second and at a million. Of
/// the rules compared in docs/decisions/0006 it was wrong least often.
struct standard_detector : any_of<consecutive_failures, failure_balance> {
  constexpr standard_detector() noexcept
      : any_of<consecutive_failures, failure_balance>{consecutive_failures{10}, failure_balance{20}} {}
};
static_assert(detector<standard_detector>);

}  // namespace brownout
