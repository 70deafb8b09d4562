// SPDX-License-Identifier: BSL-1.0
// A probe gets a context, or nothing.
// must say: a probe takes a const brownout::probe_context&, or nothing
#include "brownout/system/probe.hpp"

#ifdef MISTAKE
const brownout::probe asked = [](int) { return true; };
#else
const brownout::probe asked = [] { return true; };
#endif
