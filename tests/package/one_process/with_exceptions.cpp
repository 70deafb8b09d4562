// SPDX-License-Identifier: BSL-1.0
#include <brownout/breaker/circuit_breaker.hpp>

#include <stdexcept>

bool with_exceptions_a_bad_option_throws();

bool with_exceptions_a_bad_option_throws() {
  try {
    const brownout::circuit_breaker breaker{brownout::consecutive_failures{}, {.probes = 0}};
    return false;
  } catch (const std::invalid_argument&) {
    return true;
  }
}
