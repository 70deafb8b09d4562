// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/no_exceptions.hpp"

#include "catch2.hpp"
#include "unit/core/child.hpp"

TEST_CASE("without exceptions and RTTI a circuit serves an outage as with them", "[breaker][B14][B14d]") {
  CHECK(without_exceptions::outage() == "");
}

TEST_CASE("without exceptions and RTTI calls are judged by what they return", "[breaker][B7][B14]") {
  CHECK(without_exceptions::classified() == "");
}

TEST_CASE("without exceptions an invalid option goes to the assertion handler", "[breaker][B14]") {
  const auto seen = core_test::in_child([] {
    without_exceptions::exit_on_assertion(33);
    without_exceptions::build_with_invalid_option();
  });
  CHECK(seen.exit_code == 33);
  CHECK(seen.output == "breaker_options.probes = 0: allowed is 1 to 255");
}

TEST_CASE("without exceptions a call that is rejected goes to the assertion handler", "[breaker][B14]") {
  const auto seen = core_test::in_child([] {
    without_exceptions::exit_on_assertion(34);
    without_exceptions::call_while_open();
  });
  CHECK(seen.exit_code == 34);
  CHECK(seen.output == "brownout: call rejected: circuit held open by an operator");
}
