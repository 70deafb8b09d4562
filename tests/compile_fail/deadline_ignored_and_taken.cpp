// SPDX-License-Identifier: BSL-1.0
// A function that takes the context of the call knows the deadline, so it cannot ignore it.
// must say: ignoring_deadline takes a function without arguments
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/timeout.hpp"

#include <chrono>

const brownout::pipeline guarded{brownout::timeout{.limit = std::chrono::seconds{1}}};
#ifdef MISTAKE
const int answer = guarded.call(brownout::ignoring_deadline([](const brownout::call_context&) { return 1; }));
#else
const int answer = guarded.call(brownout::ignoring_deadline([] { return 1; }));
#endif
