// SPDX-License-Identifier: BSL-1.0
// Who asks and does not listen calls a dependency that may be down.
// must say: nodiscard
// must say: unused-result
#include "brownout/breaker/circuit_breaker.hpp"

bool may_call(brownout::circuit_breaker<>& breaker) {
#ifdef MISTAKE
  breaker.try_acquire();
  return true;
#else
  return static_cast<bool>(breaker.try_acquire());
#endif
}
