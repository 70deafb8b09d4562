// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <exception>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Returns what `ask()` returns, or `otherwise` when `ask()` throws.
///
/// For callables of the user that judge a call after its end. An exception from such a callable must not
/// replace the answer or the exception of the call.
template <class Said, class Ask>
[[nodiscard]] constexpr Said contained(const Ask& ask, Said otherwise) {
#if defined(__cpp_exceptions)
  try {
    return ask();
  } catch (...) {
    // This is not an exception but the end of the thread (pthread_exit, cancellation). It cannot be stopped.
    if (std::current_exception() == nullptr) throw;
    return otherwise;
  }
#else
  static_cast<void>(otherwise);
  return ask();
#endif
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
