// SPDX-License-Identifier: BSL-1.0
// A dependency_set holds the numbers 0 to 31.
// must say: assertion_failed
// must say: a dependency's number is 0 to 31
#include "brownout/feature/dependency_set.hpp"

#ifdef MISTAKE
constexpr int last = 32;
#else
constexpr int last = 31;
#endif

constexpr auto set = brownout::needs(0, last);
static_assert(set.contains(last));
