// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"

TEST_CASE("a test that uses a breaker and looks at nothing notices no change of it", "[mutation]") {
  brownout::circuit_breaker breaker{brownout::consecutive_failures{1}};
  breaker.call([] {});
}
