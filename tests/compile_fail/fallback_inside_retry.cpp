// SPDX-License-Identifier: BSL-1.0
// A fallback inside a retry would answer before the retry sees the failure.
// must say: a fallback inside a retry or a breaker hides failures from it
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"

brownout::retry_budget budget;
#ifdef MISTAKE
const brownout::pipeline guarded{brownout::retry{.budget = &budget, .idempotent = true},
                                 brownout::fallback{0}};
#else
const brownout::pipeline guarded{brownout::fallback{0},
                                 brownout::retry{.budget = &budget, .idempotent = true}};
#endif
