// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/guard/call_priority.hpp"
#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

struct call_report;

/// What the guards of a pipeline tell each other about one attempt of a call, and what they tell the function
/// that makes it. A function that a pipeline calls may take it as `const call_context&`.
///
///     guarded.try_call([&](const brownout::call_context& call) {
///       return query("SELECT ...", call.deadline);
///     });
///
/// It is a value, valid for one attempt.
struct call_context {
  /// A time that is not known. It is later than any other, so that one comparison with a deadline finds it.
  static constexpr time_point unknown = (time_point::max)();
  /// A deadline that never comes.
  static constexpr time_point no_deadline = (time_point::max)();

  /// The attempt has to end before this moment. It is the nearest of all deadlines around the call.
  /// Default: none.
  time_point deadline = no_deadline;

  /// The time at which the pipeline last read its clock. `unknown` if no guard around the call needs a clock.
  time_point now = unknown;

  /// Which attempt of the call this is: 1 for the first. For a header such as `X-Attempt`.
  std::uint32_t attempt = 1;

  /// The class of the call. An `adaptive_limit` refuses low classes first.
  /// Default: critical.
  call_priority priority = call_priority::critical;

  /// A key of the caller on whose behalf the call is made, such as the number of an account. Callers with
  /// different keys are shed one after the other, and not each of them now and then.
  /// Default 0: not known.
  std::uint64_t caller = 0;

  /// Where the guards write what they did. It must outlive the call.
  /// Default: null, so they write nothing.
  call_report* report = nullptr;
};

}  // namespace brownout::inline BROWNOUT_ABI
