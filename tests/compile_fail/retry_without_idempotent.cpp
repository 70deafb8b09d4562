// SPDX-License-Identifier: BSL-1.0
// Whether a call may be repeated has no default: a wrong one orders twice.
// must say: retry::idempotent|of field .idempotent
#include "brownout/guard/retry.hpp"

brownout::retry_budget budget;
#ifdef MISTAKE
brownout::retry again{.tries = 3, .budget = &budget};
#else
brownout::retry again{.tries = 3, .budget = &budget, .idempotent = true};
#endif
