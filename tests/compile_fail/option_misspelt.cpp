// SPDX-License-Identifier: BSL-1.0
// Where the type of the options is named, the compiler names the field that there is not.
// must say: breaker_options.* open_four|open_four.*breaker_options
#include "brownout/breaker/circuit_breaker.hpp"

#include <chrono>

using namespace std::chrono_literals;

#ifdef MISTAKE
brownout::circuit_breaker database{brownout::consecutive_failures{3},
                                   brownout::breaker_options{.open_four = 20s}};
#else
brownout::circuit_breaker database{brownout::consecutive_failures{3},
                                   brownout::breaker_options{.open_for = 20s}};
#endif
