// SPDX-License-Identifier: BSL-1.0
// A retry without a budget triples the load of an overload.
// must say: retry::budget|of field .budget
#include "brownout/guard/retry.hpp"

#ifdef MISTAKE
brownout::retry again{.tries = 3, .idempotent = true};
#else
brownout::retry_budget budget;
brownout::retry again{.tries = 3, .budget = &budget, .idempotent = true};
#endif
