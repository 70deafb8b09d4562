// SPDX-License-Identifier: BSL-1.0
// No limit fits every call, so a time-out has no default.
// must say: timeout::limit|of field .limit
#include "brownout/guard/timeout.hpp"

#include <chrono>

#ifdef MISTAKE
const brownout::timeout limited{.name = "query"};
#else
const brownout::timeout limited{.name = "query", .limit = std::chrono::seconds{1}};
#endif
