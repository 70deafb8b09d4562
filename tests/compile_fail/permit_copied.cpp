// SPDX-License-Identifier: BSL-1.0
// A permit is the right to one call: a copy would report twice.
// must say: deleted
// must say: permit
#include "brownout/breaker/circuit_breaker.hpp"

#include <utility>

void one_call(brownout::circuit_breaker<>& breaker) {
  auto admitted = breaker.try_acquire();
  auto permit = *std::move(admitted);
#ifdef MISTAKE
  auto second = permit;
#else
  auto second = std::move(permit);
#endif
  second.complete(brownout::outcome::success);
}
