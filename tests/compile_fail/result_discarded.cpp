// SPDX-License-Identifier: BSL-1.0
// A result may be a refusal: whoever drops it believes that the call was made.
// must say: nodiscard
// must say: unused-result
#include "brownout/breaker/circuit_breaker.hpp"

bool store(brownout::circuit_breaker<>& breaker) {
  const auto write = [] {};
#ifdef MISTAKE
  breaker.try_call(write);
  return true;
#else
  return breaker.try_call(write).has_value();
#endif
}
