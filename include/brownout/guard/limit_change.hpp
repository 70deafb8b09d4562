// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <functional>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// Why an `adaptive_limit` changed its limit.
enum class limit_change_cause : std::uint8_t {
  delay,    ///< lowered: every call of a window waited longer than `target_delay`
  latency,  ///< lowered: more than a tenth of the calls of a window took longer than `latency_budget`
  demand,   ///< raised: work was on target, and calls were refused or in flight reached 90 % of the limit
  options,  ///< options were replaced, and the limit was outside of the new range
};

/// The name of the cause.
[[nodiscard]] constexpr std::string_view to_string(limit_change_cause cause) noexcept {
  switch (cause) {
    case limit_change_cause::delay:
      return "delay";
    case limit_change_cause::latency:
      return "latency";
    case limit_change_cause::demand:
      return "demand";
    case limit_change_cause::options:
      return "options";
  }
  return "invalid";
}

/// One change of an adaptive limit.
struct limit_change {
  std::uint64_t number = 0;                                ///< counts the changes from 1; 0: there was none
  time_point at{};                                         ///< when, by the clock of the limit
  std::uint32_t from = 0;                                  ///< the limit before
  std::uint32_t to = 0;                                    ///< the limit after
  limit_change_cause cause = limit_change_cause::options;  ///< why
  std::uint32_t in_flight = 0;                             ///< calls in flight at that moment
  std::uint32_t samples = 0;  ///< calls that decided; with a target_delay not all that were made
  std::uint32_t above = 0;    ///< calls among them that were above the target or the budget
};

/// Is told of the changes of an adaptive limit. May throw: the exception is dropped and counted.
using limit_listener = std::function<void(const limit_change&)>;

}  // namespace brownout::inline BROWNOUT_ABI
