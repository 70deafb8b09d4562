// SPDX-License-Identifier: BSL-1.0
#include "shop.hpp"

brownout::circuit_breaker<>& shop::warehouse() {
  static brownout::circuit_breaker<> circuit;
  return circuit;
}
