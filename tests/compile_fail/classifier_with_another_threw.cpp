// SPDX-License-Identifier: BSL-1.0
// A member threw that takes something else than a std::exception_ptr would never be asked.
// must say: the member threw of a classifier must be const, take a const std::exception_ptr&
#include "brownout/breaker/circuit_breaker.hpp"

#include <exception>

struct never_ours {
  brownout::outcome operator()() const { return brownout::outcome::success; }
#ifdef MISTAKE
  brownout::outcome threw(const std::exception&) const {
    return brownout::outcome::ignored;
  }
#else
  brownout::outcome threw(const std::exception_ptr&) const {
    return brownout::outcome::ignored;
  }
#endif
};

void fetch(brownout::circuit_breaker<>& api) {
  api.call([] {}, never_ours{});
}
