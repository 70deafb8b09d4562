// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/traffic.hpp"

#include <concepts>
#include <optional>
#include <utility>

namespace studies {

/// Decides about calls, one after the other, in virtual time that never goes back.
///
/// `admit` answers with a permit, or with nothing to refuse; each permit comes back by `report` when its call
/// has ended.
template <class P>
concept decision_policy = std::movable<typename P::permit> &&
    requires(P& policy, nanoseconds now, typename P::permit permit, bool failed) {
  { policy.admit(now) } -> std::same_as<std::optional<typename P::permit>>;
  policy.report(std::move(permit), now, failed);
};

/// No breaker: what there is to beat.
struct no_policy {
  struct permit {};
  std::optional<permit> admit(nanoseconds /*now*/) { return permit{}; }
  void report(permit /*permit*/, nanoseconds /*now*/, bool /*failed*/) {}
};
static_assert(decision_policy<no_policy>);

}  // namespace studies
