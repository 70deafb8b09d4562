// SPDX-License-Identifier: BSL-1.0
// The wall clock can be set back: it is no clock_source.
// must say: clock_source
// must say: constraint
#include "brownout/breaker/circuit_breaker.hpp"

#include <chrono>

struct wall_clock {
#ifdef MISTAKE
  std::chrono::system_clock::time_point now() const noexcept {
    return {};
  }
#else
  brownout::time_point now() const noexcept {
    return {};
  }
#endif
};

using breaker = brownout::circuit_breaker<brownout::consecutive_failures, wall_clock>;
