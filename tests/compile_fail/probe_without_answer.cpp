// SPDX-License-Identifier: BSL-1.0
// A probe says what it found.
// must say: a probe returns a brownout::probe_result, a brownout::outcome or a bool
#include "brownout/system/probe.hpp"

#ifdef MISTAKE
const brownout::probe asked = [](const brownout::probe_context&) { return 1; };
#else
const brownout::probe asked = [](const brownout::probe_context&) { return true; };
#endif
