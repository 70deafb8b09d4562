// SPDX-License-Identifier: BSL-1.0
// Only rate limiters are kept by key.
// must say: rate limiters are the only guards that are kept by key
#include "brownout/guard/keyed.hpp"
#include "brownout/guard/sliding_window.hpp"

#ifdef MISTAKE
brownout::keyed<brownout::sliding_window<>> quotas{{.rate = brownout::per_second(10)}};
#else
brownout::keyed<brownout::rate_limiter<>> quotas{{.rate = brownout::per_second(10)}};
#endif
