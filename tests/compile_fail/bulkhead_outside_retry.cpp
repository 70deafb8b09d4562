// SPDX-License-Identifier: BSL-1.0
// A bulkhead outside of a retry would hold its place while the retry waits.
// must say: holds its place while the retry
// must say: hold_place_while_waiting if this is meant
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"

brownout::retry_budget budget;
brownout::bulkhead<> places{{.limit = 20}};
#ifdef MISTAKE
const brownout::pipeline guarded{places, brownout::retry{.budget = &budget, .idempotent = true}};
#else
const brownout::pipeline guarded{brownout::retry{.budget = &budget, .idempotent = true}, places};
#endif
