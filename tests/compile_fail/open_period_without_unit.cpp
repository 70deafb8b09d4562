// SPDX-License-Identifier: BSL-1.0
// 20 of what? Said in one sentence, also where the type of the options is not named.
// must say: a time needs a unit: write .open_for = 20s
#include "brownout/breaker/circuit_breaker.hpp"

#include <chrono>

using namespace std::chrono_literals;

#ifdef MISTAKE
brownout::circuit_breaker database{brownout::consecutive_failures{3}, {.open_for = 20}};
#else
brownout::circuit_breaker database{brownout::consecutive_failures{3}, {.open_for = 20s}};
#endif
