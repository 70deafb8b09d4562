// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <chrono>

namespace brownout::inline BROWNOUT_ABI {

/// Options of an `async_guard`.
struct async_guard_options {
  /// No limit of time.
  static constexpr duration none = (duration::max)();

  /// How long a call may take, from its start. 1 ms to 1 hour, or `none`. At the deadline the breaker counts
  /// a failure, and the operation is cancelled. The caller is told when the operation has ended. Default:
  /// none, because the right time depends on the operation.
  duration deadline = none;

  /// A call that its caller has cancelled counts as a failure if it had lasted this long. For callers that
  /// give up by a time-out of their own, outside of the guard. 1 ms to 1 hour, or `none`.
  /// Default: none, so such calls count as nothing.
  duration patience = none;

  /// Tells the caller at the deadline, without waiting for the end of the operation. Only for operations that
  /// own all that they use: a buffer of the caller would still be written to. They go on to use memory of the
  /// allocator of the handler, so that must not be the handler's own.
  /// Default: false.
  bool abandon = false;

  /// Throws `std::invalid_argument`, which names the field, its value and the range.
  void require_valid() const {
    constexpr duration shortest = std::chrono::milliseconds{1};
    constexpr duration longest = std::chrono::hours{1};
    if (deadline != none) detail::require_within("async_guard_options.deadline", deadline, shortest, longest);
    if (patience != none) detail::require_within("async_guard_options.patience", patience, shortest, longest);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
