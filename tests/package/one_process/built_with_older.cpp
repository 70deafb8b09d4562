// SPDX-License-Identifier: BSL-1.0
#include <brownout/breaker/circuit_breaker.hpp>

#include <stdexcept>

bool older_refuses_a_threshold_of_0();

bool older_refuses_a_threshold_of_0() {
  try {
    const brownout::circuit_breaker breaker{brownout::consecutive_failures{.threshold = 0}};
    return false;
  } catch (const std::invalid_argument&) {
    return true;
  }
}
