// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <exception>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Returns what `ask()` returns, or `otherwise` when `ask()` throws.
///
/// For the user's callables that judge a call which has ended: a mistake in one of them must not take the
/// answer or the exception of that call away from the caller.
template <class Said, class Ask>
[[nodiscard]] constexpr Said contained(const Ask& ask, Said otherwise) {
#if defined(__cpp_exceptions)
  try {
    return ask();
  } catch (...) {
    // Not an exception, but the end of the thread (pthread_exit, cancellation): it cannot be stopped.
    if (std::current_exception() == nullptr) throw;
    return otherwise;
  }
#else
  static_cast<void>(otherwise);
  return ask();
#endif
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
