// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace brownout {

/// The states of a circuit. The first three follow from what calls report; the held ones stay until an
/// operator ends them.
enum class circuit_state : std::uint8_t {
  closed,        ///< calls pass and are measured
  half_open,     ///< a few probes pass, to find out whether the dependency is back
  open,          ///< calls are rejected until the open period is over
  forced_open,   ///< held: calls are rejected
  disabled,      ///< held: calls pass, nothing is measured
  metrics_only,  ///< held: calls pass and are measured, but the circuit never opens
};

inline constexpr std::uint8_t circuit_state_count = 6;

/// True for the states in which every call is refused.
[[nodiscard]] constexpr bool refuses_calls(circuit_state state) noexcept {
  return state == circuit_state::open || state == circuit_state::forced_open;
}

[[nodiscard]] constexpr std::string_view to_string(circuit_state state) noexcept {
  switch (state) {
    case circuit_state::closed:
      return "closed";
    case circuit_state::half_open:
      return "half_open";
    case circuit_state::open:
      return "open";
    case circuit_state::forced_open:
      return "forced_open";
    case circuit_state::disabled:
      return "disabled";
    case circuit_state::metrics_only:
      return "metrics_only";
  }
  return "invalid";
}

}  // namespace brownout
