// SPDX-License-Identifier: BSL-1.0
// A breaker's own permit does not keep the breaker: got from a handle that ends with the expression, it would
// be left behind. The handle's permit keeps it.
// must say: deleted
// must say: operator->
#include "brownout/registry/registry.hpp"

bool one_call(brownout::registry<>& hosts) {
#ifdef MISTAKE
  auto admitted = hosts.at("host")->try_acquire();
#else
  auto admitted = hosts.at("host").try_acquire();
#endif
  return admitted && admitted->complete(brownout::outcome::success) == brownout::disposition::counted;
}
