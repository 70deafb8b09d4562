// SPDX-License-Identifier: BSL-1.0
// A call changes the guards that it goes through, so a pipeline refuses one that is const.
// must say: a call changes its guards that have state, so a pipeline takes none that is const
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/pipeline.hpp"

#ifdef MISTAKE
const brownout::bulkhead<> places{{.limit = 20}};
#else
brownout::bulkhead<> places{{.limit = 20}};
#endif
const brownout::pipeline guarded{places};
const int answer = guarded.call([] { return 1; });
