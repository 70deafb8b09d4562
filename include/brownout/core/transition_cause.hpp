// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// Why a circuit changed its state.
enum class transition_cause : std::uint8_t {
  // The circuit opened.
  consecutive_failures,  ///< the detector counted enough failures in a row
  failure_balance,       ///< the detector counted enough failures more than successes
  failure_rate,          ///< failures reached their share of the calls in the window
  slow_call_rate,        ///< slow calls reached their share of the calls in the window
  failures_within,       ///< the detector counted enough failures within its period
  detector,              ///< a detector tripped that is not part of the library
  retry_after,           ///< the dependency asked callers to wait
  trip,                  ///< the program called `trip`
  probe_failed,          ///< a call of a half-open circuit failed

  // The circuit became half-open, or closed.
  open_period_over,  ///< the open period was over, and a call came
  probes_lost,       ///< no call of a half-open circuit ended within the lease: probing begins anew
  probes_succeeded,  ///< enough calls of a half-open circuit succeeded: the ramp begins, or the circuit
                     ///< closes

  hold_over,  ///< the circuit was held for a time that was over, and a call came
  operator_,  ///< an operator's command: the new state is in `to`
};

/// The name of the cause.
[[nodiscard]] constexpr std::string_view to_string(transition_cause value) noexcept {
  switch (value) {
    case transition_cause::consecutive_failures:
      return "consecutive_failures";
    case transition_cause::failure_balance:
      return "failure_balance";
    case transition_cause::failure_rate:
      return "failure_rate";
    case transition_cause::slow_call_rate:
      return "slow_call_rate";
    case transition_cause::failures_within:
      return "failures_within";
    case transition_cause::detector:
      return "detector";
    case transition_cause::retry_after:
      return "retry_after";
    case transition_cause::trip:
      return "trip";
    case transition_cause::probe_failed:
      return "probe_failed";
    case transition_cause::open_period_over:
      return "open_period_over";
    case transition_cause::probes_lost:
      return "probes_lost";
    case transition_cause::probes_succeeded:
      return "probes_succeeded";
    case transition_cause::hold_over:
      return "hold_over";
    case transition_cause::operator_:
      return "operator";
  }
  return "invalid";
}

}  // namespace brownout::inline BROWNOUT_ABI
