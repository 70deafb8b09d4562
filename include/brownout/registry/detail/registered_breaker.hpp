// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/registry/detail/usage.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

template <class Breaker>
class registry_shard;

/// What is lost when a registry removes a breaker, least first.
enum class loss : std::uint8_t {
  none,      ///< closed
  recovery,  ///< neither closed nor refusing calls nor held: the next call would pass
  refusal,   ///< it refuses calls, or an operator holds it
};

/// A breaker that is found by its key. It lives as long as anything refers to it: the registry until it
/// removes the key, and each handle.
template <class Breaker>
struct registered_breaker {
  template <class Policy, class Clock>
  registered_breaker(std::uint32_t place, registry_shard<Breaker>* owner,
                     const std::shared_ptr<Policy>& policy, std::string&& name, const Clock& clock)
      : breaker{typename Breaker::shared_policy{policy}, std::move(name), clock},
        number{place},
        home{owner} {}
  registered_breaker(const registered_breaker&) = delete;
  registered_breaker& operator=(const registered_breaker&) = delete;
  ~registered_breaker() = default;

  /// What would be lost at `now`, which is a reading of the breaker's clock: no code of the user runs.
  ///
  /// A half-open circuit has no probe in flight unless somebody refers to it, since its permits do.
  [[nodiscard]] loss loss_at(time_point now) const noexcept {
    if (breaker.observed_state() == circuit_state::closed) return loss::none;
    return breaker.circuit_.outlasts(now) ? loss::refusal : loss::recovery;
  }

  /// The breaker goes by `after` from now on, unless it was reconfigured on its own and no longer goes by
  /// `before`. Calls no code of the user.
  template <class Policy>
  void follow(Policy& before, Policy& after) noexcept {
    breaker.circuit_.follow(before, after);
  }

  BROWNOUT_NO_UNIQUE_ADDRESS Breaker breaker;  // its tail padding holds what follows
  const std::uint32_t number;
  registry_shard<Breaker>* const home;  // null: the registry had no room for it
};

/// A breaker that its registry had no room for. It refers to itself for its only handle.
template <class Breaker>
struct unregistered_breaker : usage {
  template <class Policy, class Clock>
  unregistered_breaker(const std::shared_ptr<Policy>& policy, std::string&& name, const Clock& clock)
      : node{0, nullptr, policy, std::move(name), clock} {
    begin(0, 1);
  }

  registered_breaker<Breaker> node;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
