// SPDX-License-Identifier: BSL-1.0
#include <brownout/breaker.hpp>

#include <cstdlib>

int main() {
  brownout::circuit_breaker database{brownout::consecutive_failures{3}, {.name = "database"}};
  return database.call([] { return EXIT_SUCCESS; });
}
