// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The number of the calling thread: 1 for the first thread that asks, and so on. It is used to spread
/// threads over stripes.
[[nodiscard]] inline std::uint32_t thread_number() noexcept {
  // Each thread writes it once. Relaxed: only the number matters.
  static std::atomic<std::uint32_t> threads{0};
  // 0: none yet. Another value would need an initialiser at each access.
  constinit thread_local std::uint32_t number = 0;
  if (number == 0) number = threads.fetch_add(1, std::memory_order_relaxed) + 1;
  return number;
}

/// The same for a component with these atomics: those of a test may number its threads themselves.
template <class Atomics>
[[nodiscard]] inline std::uint32_t thread_number_for() noexcept {
  if constexpr (requires { Atomics::thread_number(); }) {
    return Atomics::thread_number();
  } else {
    return thread_number();
  }
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
