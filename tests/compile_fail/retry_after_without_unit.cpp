// SPDX-License-Identifier: BSL-1.0
// A getter that returns a number: of seconds or milliseconds?
// must say: the getter given to retry_after_from must return a std::chrono::duration or a
// must say: std::optional of one; a plain number has no unit
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"

#include <chrono>

struct response {
  int status = 200;
  int retry_after = 0;
};

response fetch(brownout::circuit_breaker<>& api) {
#ifdef MISTAKE
  const auto asked = brownout::retry_after_from([](const response& seen) { return seen.retry_after; });
#else
  const auto asked =
      brownout::retry_after_from([](const response& seen) { return std::chrono::seconds{seen.retry_after}; });
#endif
  return api.call([] { return response{}; }, asked);
}
