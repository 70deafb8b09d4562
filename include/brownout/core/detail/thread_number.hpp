// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A number of the calling thread's own: counted up from 1, one a thread. To spread threads over something.
[[nodiscard]] inline std::uint32_t thread_number() noexcept {
  // Written by each thread once. Relaxed: the number is all that it gives.
  static std::atomic<std::uint32_t> threads{0};
  constinit thread_local std::uint32_t number = 0;  // none yet; else the access would call an initialiser
  if (number == 0) number = threads.fetch_add(1, std::memory_order_relaxed) + 1;
  return number;
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
