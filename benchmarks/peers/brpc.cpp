// SPDX-License-Identifier: BSL-1.0
//
// apache/brpc: its breaker is only told how calls ended. A channel does not ask it: it leaves a broken node
// out.
#include "harness/barriers.hpp"
#include "peers/entrant.hpp"

#include <brpc/circuit_breaker.h>

namespace {

using namespace benchmarks;

brpc::CircuitBreaker closed;

const peers::registered brpc_breaker{{.name = "apache/brpc (report only)",
                                      .opens_at = "averages of 1500 and 3000 calls",
                                      .succeed = repeated([] {
                                        opaque_call();
                                        if (!closed.OnCallEnd(0, 1000)) peers::fail("brpc isolated a node");
                                        opaque_call();
                                      })}};

}  // namespace
