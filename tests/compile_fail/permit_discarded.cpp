// SPDX-License-Identifier: BSL-1.0
// A permit that nobody takes is given back at once: the call would go unmeasured.
// must say: nodiscard
// must say: unused-result
#include "brownout/breaker/circuit_breaker.hpp"

using permit = brownout::circuit_breaker<>::permit;

void make_the_call(permit& admitted, permit (*hand_on)(permit&)) {
#ifdef MISTAKE
  hand_on(admitted);
#else
  hand_on(admitted).complete(brownout::outcome::success);
#endif
}
