// SPDX-License-Identifier: BSL-1.0
// A pipeline refers to its guards that have state, so a temporary one is refused.
// must say: must be a variable that outlives the pipeline, not a temporary
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/pipeline.hpp"

#ifdef MISTAKE
const brownout::pipeline guarded{brownout::bulkhead<>{{.limit = 20}}};
#else
brownout::bulkhead<> places{{.limit = 20}};
const brownout::pipeline guarded{places};
#endif
