// SPDX-License-Identifier: BSL-1.0
// A predicate must take every exception that its rule names.
// must say: the predicate given to ignore_exceptions, success_exceptions or failure_exceptions must
// must say: take each of these exceptions, by value or by reference to const, and return a bool
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"

struct http_error {
  int status = 503;
};
struct timed_out {};

void fetch(brownout::circuit_breaker<>& api) {
  const auto is_missing = [](const http_error& thrown) { return thrown.status == 404; };
#ifdef MISTAKE
  api.call([] {}, brownout::ignore_exceptions<http_error, timed_out>(is_missing));
#else
  api.call([] {}, brownout::ignore_exceptions<http_error>(is_missing));
#endif
}
