// SPDX-License-Identifier: BSL-1.0
// How old an answer may be has no default. With empty braces, GCC does not name the option.
// must say: deleted (function|constructor).*option_without_default
#include "brownout/guard/fallback.hpp"

#include <chrono>

#ifdef MISTAKE
const brownout::fallback page{brownout::last_good{}};
#else
const brownout::fallback page{brownout::last_good{.max_age = std::chrono::minutes{5}}};
#endif
