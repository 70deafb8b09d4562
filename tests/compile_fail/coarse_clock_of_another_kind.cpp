// SPDX-License-Identifier: BSL-1.0
// A coarse reading that is no time_point must not be left out silently: such a clock is no clock_source.
// must say: clock_source
// must say: constraint
#include "brownout/breaker/circuit_breaker.hpp"

struct coarse_clock {
  brownout::time_point now() const noexcept { return {}; }
#ifdef MISTAKE
  brownout::duration coarse_now() const noexcept {
    return {};
  }
#else
  brownout::time_point coarse_now() const noexcept {
    return {};
  }
#endif
};

using breaker = brownout::circuit_breaker<brownout::consecutive_failures, coarse_clock>;
