// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

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

inline constexpr std::uint8_t circuit_state_count = 6;  ///< the number of states

/// True for the states in which every call is refused.
[[nodiscard]] constexpr bool refuses_calls(circuit_state state) noexcept {
  return state == circuit_state::open || state == circuit_state::forced_open;
}

/// The name of the state: "half_open".
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

/// Who may begin a transition.
enum class transition_initiator : std::uint8_t {
  none,       ///< illegal
  calls,      ///< a reported outcome, or a deadline that a call finds passed; also an operator
  operator_,  ///< only an operator
};

namespace detail {
inline constexpr auto transition_table = [] {
  using enum circuit_state;
  std::array<std::array<transition_initiator, circuit_state_count>, circuit_state_count> table{};
  const auto allow = [&](circuit_state from, circuit_state to, transition_initiator by) {
    table[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)] = by;
  };
  for (const auto from : {closed, half_open, open, forced_open, disabled, metrics_only}) {
    // An operator may hold or close any circuit; closing a closed one starts a new epoch (a reset).
    for (const auto to : {closed, forced_open, disabled, metrics_only}) {
      allow(from, to, transition_initiator::operator_);
    }
  }
  allow(closed, open, transition_initiator::calls);            // the detector trips
  allow(open, half_open, transition_initiator::calls);         // the open period is over
  allow(half_open, half_open, transition_initiator::calls);    // probes were lost: a new epoch, a new probe
  allow(half_open, open, transition_initiator::calls);         // a probe failed
  allow(half_open, closed, transition_initiator::calls);       // enough probes succeeded
  allow(forced_open, half_open, transition_initiator::calls);  // held for a time that is over
  allow(disabled, closed, transition_initiator::calls);        // held for a time that is over
  return table;
}();
}  // namespace detail

/// The one table of legal transitions.
[[nodiscard]] constexpr transition_initiator initiator_of(circuit_state from, circuit_state to) noexcept {
  return detail::transition_table[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

static_assert(initiator_of(circuit_state::closed, circuit_state::half_open) == transition_initiator::none);
static_assert(initiator_of(circuit_state::disabled, circuit_state::half_open) == transition_initiator::none);
static_assert(initiator_of(circuit_state::open, circuit_state::half_open) == transition_initiator::calls);

}  // namespace brownout::inline BROWNOUT_ABI
