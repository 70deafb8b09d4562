// SPDX-License-Identifier: BSL-1.0
// A time-out that the function does not know about would do nothing.
// must say: the pipeline has a timeout, so the function must take the deadline
// must say: wrap it in brownout::ignoring_deadline
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/timeout.hpp"

#include <chrono>

const brownout::pipeline guarded{brownout::timeout{.limit = std::chrono::seconds{1}}};

int load() {
#ifdef MISTAKE
  return guarded.call([] { return 7; });
#else
  return guarded.call([](const brownout::call_context& call) { return static_cast<int>(call.attempt); });
#endif
}
