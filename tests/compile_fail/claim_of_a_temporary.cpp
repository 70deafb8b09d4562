// SPDX-License-Identifier: BSL-1.0
// A supervisor refers to the dependencies that it watches, so a temporary one is refused.
// must say: a claim takes no temporary one
#include "brownout/system/claim.hpp"

enum class upstream { database };

#ifdef MISTAKE
const brownout::claim<brownout::monotonic_clock> claimed{
    upstream::database, brownout::dependency{brownout::dependency_options{.name = "database"}}};
#else
brownout::dependency database{brownout::dependency_options{.name = "database"}};
const brownout::claim<brownout::monotonic_clock> claimed{upstream::database, database};
#endif
