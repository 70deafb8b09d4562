// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/guard/limit_change.hpp"
#include "brownout/version.hpp"

#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// A change of an adaptive limit as one line for people, for example in a log:
///
///     limit lowered from 20 to 18: all of 10 calls waited longer than the target
[[nodiscard]] inline std::string explain(const limit_change& change) {
  if (change.number == 0) return "limit never changed";
  const auto number = [](auto value) { return std::to_string(value); };
  const auto made = (change.to < change.from ? "limit lowered from " : "limit raised from ") +
                    number(change.from) + " to " + number(change.to) + ": ";
  switch (change.cause) {
    case limit_change_cause::delay:
      return made + "all of " + number(change.samples) + " calls waited longer than the target";
    case limit_change_cause::latency:
      return made + number(change.above) + " of " + number(change.samples) +
             " calls took longer than the budget";
    case limit_change_cause::demand:
      return made + "work was on target, and calls needed more room";
    case limit_change_cause::options:
      return made + "its options were replaced";
  }
  return made + "invalid";
}

}  // namespace brownout::inline BROWNOUT_ABI
