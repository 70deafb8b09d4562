// SPDX-License-Identifier: BSL-1.0
// A handle that ends with its expression keeps its breaker no longer: a reference would be left behind.
// must say: name the handle first, and keep it as long as the reference
#include "brownout/registry/registry.hpp"

void hold_open(brownout::registry<>& hosts) {
#ifdef MISTAKE
  auto& breaker = *hosts.at("host");
  breaker.force_open();
#else
  const auto handle = hosts.at("host");
  auto& breaker = *handle;
  breaker.force_open();
  hosts.at("host").force_open();
  hosts.at("host")->force_open();
#endif
}
