// SPDX-License-Identifier: BSL-1.0
// What a call returns is judged before it is returned, so it must be movable.
// must say: what a guarded call returns must be movable
#include "brownout/breaker/circuit_breaker.hpp"

#include <mutex>

void lock(brownout::circuit_breaker<>& leases, std::mutex& lease) {
#ifdef MISTAKE
  const auto held = leases.call([&] { return std::scoped_lock{lease}; });
#else
  const auto held = leases.call([&] { return std::unique_lock{lease}; });
#endif
}
