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

/// What is lost when a registry removes a breaker. The least loss is first.
enum class loss : std::uint8_t {
  none,      ///< closed
  recovery,  ///< neither closed nor refusing calls nor held: the next call would pass
  refusal,   ///< it refuses calls, or an operator holds it
};

/// A breaker that is found by its key. It lives as long as it has a referrer: the registry until it removes
/// the key, and each handle.
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

  /// What would be lost at `now`. `now` is a reading of the breaker's clock, so that no user code runs.
  ///
  /// A half-open circuit without a referrer has no probe in flight, because permits are referrers.
  [[nodiscard]] loss loss_at(time_point now) const noexcept {
    if (breaker.observed_state() == circuit_state::closed) return loss::none;
    return breaker.circuit_.outlasts(now) ? loss::refusal : loss::recovery;
  }

  /// The breaker uses `after` from now on, unless it was reconfigured by itself and no longer uses `before`.
  /// Calls no user code.
  template <class Policy>
  void follow(Policy& before, Policy& after) noexcept {
    breaker.circuit_.follow(before, after);
  }

  BROWNOUT_NO_UNIQUE_ADDRESS Breaker breaker;  // the next members use its tail padding
  const std::uint32_t number;
  registry_shard<Breaker>* const home;  // null: unregistered
};

/// An unregistered breaker. It refers to itself for its only handle.
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
