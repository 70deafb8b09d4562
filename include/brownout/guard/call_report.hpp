// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <optional>

namespace brownout::inline BROWNOUT_ABI {

/// What the guards of a pipeline did in one call, for those who ask:
///
///     brownout::call_report report;
///     auto rows = guarded.try_call(query, report);
///     log("{} attempts, waited {}", report.attempts, report.waited);
///
/// The guards only add to it, so one report can collect several calls. One call at a time may write it.
struct call_report {
  std::uint32_t attempts = 0;         ///< how often the function was called
  duration waited{};                  ///< sum of the waits between attempts
  std::uint32_t retries_refused = 0;  ///< retries that an empty budget refused
  duration retry_after{};  ///< the longest wait that the dependency asked for in the last attempt of a call
  bool late = false;       ///< whether a value came after its deadline
  guard_kind ended_by = guard_kind::none;  ///< the guard that gave the answer; none: the function did
  std::optional<rejection> refused{};  ///< the latest refusal, also if a later attempt or a fallback answered
  duration age{};                      ///< age of the value if `last_good` gave it
};

}  // namespace brownout::inline BROWNOUT_ABI
