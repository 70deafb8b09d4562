// SPDX-License-Identifier: BSL-1.0
// A rule about what a call does not return would never match.
// must say: the predicate given to failure_if, success_if or ignore_if must take what the call returns
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"

struct response {
  int status = 200;
};

void fetch(brownout::circuit_breaker<>& api) {
  const auto classify =
      brownout::first_match{brownout::failure_if([](const response& seen) { return seen.status >= 500; })};
#ifdef MISTAKE
  api.call([] {}, classify);
#else
  api.call([] { return response{}; }, classify);
#endif
}
