// SPDX-License-Identifier: BSL-1.0
// A truth value is no outcome: it could mean that the call failed, or that it did not. failure_if says which.
// must say: classifier
// must say: a classifier must take what the call returns, by value or by reference to const,
// must say: and return an outcome or a std::optional<outcome>; failure_if makes one of a predicate
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"

struct response {
  int status = 200;
};

response fetch(brownout::circuit_breaker<>& api) {
  const auto server_error = [](const response& seen) { return seen.status >= 500; };
#ifdef MISTAKE
  return api.call([] { return response{}; }, server_error);
#else
  return api.call([] { return response{}; }, brownout::failure_if(server_error));
#endif
}
