// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <thread>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Lets `how_long` pass on `clock`: by its own `wait_for`, or by blocking the thread.
template <clock_source C>
void wait_on(const C& clock, duration how_long) {
  if constexpr (has_wait_for<C>) {
    clock.wait_for(how_long);
  } else {
    if constexpr (requires { clock.try_wait_for(how_long); }) {  // an `any_clock`
      if (clock.try_wait_for(how_long)) return;
    }
    std::this_thread::sleep_for(how_long);
  }
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
