// SPDX-License-Identifier: BSL-1.0
//
// kcenon/common_system: headers only.
#include "harness/barriers.hpp"
#include "peers/entrant.hpp"

#include <kcenon/common/resilience/circuit_breaker.h>

#include <chrono>

namespace {

using namespace benchmarks;
using kcenon::common::resilience::circuit_breaker;

circuit_breaker closed;
circuit_breaker opened{{.failure_threshold = 1, .timeout = std::chrono::hours{24}}};

const peers::registered kcenon{{.name = "kcenon/common_system",
                                .opens_at = "5 failures in 60 s",
                                .succeed = repeated([] {
                                  if (!closed.allow_request())
                                    peers::fail("kcenon/common_system refused a call");
                                  auto guard = closed.make_guard();
                                  opaque_call();
                                  guard.record_success();
                                  opaque_call();
                                }),
                                .be_refused = repeated([] {
                                  if (opened.allow_request())
                                    peers::fail("kcenon/common_system admitted a call");
                                  opaque_call();
                                }),
                                .open = [] { opened.record_failure(); }}};

}  // namespace
