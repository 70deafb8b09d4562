// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <thread>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Whether a clock says how to wait on it.
template <class C>
concept waiting_clock = clock_source<C> && requires(const C& clock, duration how_long) {
  clock.wait_for(how_long);
};

/// Lets `how_long` pass on `clock`: by its own `wait_for`, or by blocking the thread.
template <clock_source C>
void wait_on(const C& clock, duration how_long) {
  if constexpr (waiting_clock<C>) {
    clock.wait_for(how_long);
  } else {
    std::this_thread::sleep_for(how_long);
  }
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
