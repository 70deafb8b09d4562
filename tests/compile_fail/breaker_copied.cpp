// SPDX-License-Identifier: BSL-1.0
// Permits point to their breaker, so it stays where it is.
// must say: deleted
// must say: circuit_breaker
#include "brownout/breaker/circuit_breaker.hpp"

brownout::circuit_breaker<> database;
#ifdef MISTAKE
auto copy = database;
#else
auto& same = database;
#endif
