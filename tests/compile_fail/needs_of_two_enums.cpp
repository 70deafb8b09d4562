// SPDX-License-Identifier: BSL-1.0
// What a feature needs are dependencies, not features.
// must say: the dependencies of a system are one enum
#include "brownout/feature/dependency_set.hpp"

enum class upstream { database, payments };
enum class feature { checkout };

#ifdef MISTAKE
static_assert(!brownout::needs(upstream::payments, feature::checkout).empty());
#else
static_assert(!brownout::needs(upstream::payments, upstream::database).empty());
#endif
