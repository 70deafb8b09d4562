// SPDX-License-Identifier: BSL-1.0
// A predicate on the number of failures is no detector: nobody would know what it counts, and where.
// must say: detector
// must say: constraint
#include "brownout/breaker/circuit_breaker.hpp"

struct three_in_all {
  bool should_trip(int failures) const { return failures >= 3; }
};

#ifdef MISTAKE
brownout::circuit_breaker<three_in_all> database;
#else
brownout::circuit_breaker<brownout::consecutive_failures> database;
#endif
