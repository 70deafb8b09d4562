// SPDX-License-Identifier: BSL-1.0
// A getter that cannot take what a call returns would never be asked.
// must say: the getter given to retry_after_from must take what the call returns, or the named exception
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"

#include <chrono>

struct response {
  std::chrono::seconds retry_after{};
};
struct overloaded {
  std::chrono::seconds retry_after{};
};

response fetch(brownout::circuit_breaker<>& api) {
#ifdef MISTAKE
  const auto asked = brownout::retry_after_from(&overloaded::retry_after);
#else
  const auto asked = brownout::retry_after_from<overloaded>(&overloaded::retry_after);
#endif
  return api.call([] { return response{}; }, brownout::first_match{asked});
}
