// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/health/scorer_options.hpp"
#include "brownout/system/snapshot.hpp"
#include "config/settings.hpp"

#include <cstdint>
#include <string_view>

namespace staging {

/// What costs a dependency health while its circuit lets calls pass.
enum class trouble : std::uint8_t {
  none,
  failing,  ///< calls that fail cost more
  slow      ///< calls that succeed late cost more
};

[[nodiscard]] constexpr std::string_view to_string(trouble value) noexcept {
  switch (value) {
    case trouble::none:
      return "none";
    case trouble::failing:
      return "failing";
    case trouble::slow:
      return "slow";
  }
  return "invalid";
}

/// Judges by the recent calls, as the score does: points lost to failures against points lost to latency.
[[nodiscard]] inline trouble trouble_of(const brownout::component_snapshot& seen,
                                        const latency_settings& latency) noexcept {
  const auto& recent = seen.recent;
  if (seen.circuit.state != brownout::circuit_state::closed || recent.calls == 0) return trouble::none;
  const double failures = 100.0 * (recent.calls - recent.successes) / recent.calls;
  const brownout::latency_budget budget{.budget = latency.budget, .per_point = latency.per_point};
  const double late = recent.successes == 0 ? 0 : budget.penalty(recent.mean_latency);
  if (failures == 0 && late == 0) return trouble::none;
  return late > failures ? trouble::slow : trouble::failing;
}

}  // namespace staging
