// SPDX-License-Identifier: BSL-1.0
#include <brownout/breaker/circuit_breaker.hpp>

#include <stdexcept>

bool newer_allows_a_threshold_of_0();

bool newer_allows_a_threshold_of_0() {
  try {
    const brownout::circuit_breaker breaker{brownout::consecutive_failures{.threshold = 0}};
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}
