// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Calls a function of the user's. False when it threw; the exception is dropped.
template <class F>
[[nodiscard]] bool returns(F&& function) noexcept {
#if defined(__cpp_exceptions)
  try {
    std::forward<F>(function)();
    return true;
  } catch (...) {
    return false;
  }
#else
  std::forward<F>(function)();
  return true;
#endif
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
