// SPDX-License-Identifier: BSL-1.0
//
// alibaba/sentinel-cpp: its circuit breaker alone, without the chain of slots that its users call it through.
#include "harness/barriers.hpp"
#include "peers/entrant.hpp"

#include <sentinel-core/circuitbreaker/error_circuit_breaker.h>

#include <string>

namespace {

using namespace benchmarks;
using Sentinel::CircuitBreaker::ErrorCircuitBreaker;

ErrorCircuitBreaker make(int minimum_calls) {
  Sentinel::CircuitBreaker::Rule rule{"benchmark"};
  rule.set_strategy(Sentinel::CircuitBreaker::Strategy::kErrorRatio);
  rule.set_threshold(0.5);
  rule.set_min_request_amount(minimum_calls);
  rule.set_stat_interval_ms(10'000);
  rule.set_retry_timeout_sec(24 * 60 * 60);
  return ErrorCircuitBreaker{rule};
}

ErrorCircuitBreaker closed = make(20);
ErrorCircuitBreaker opened = make(1);
Sentinel::Stat::NodeSharedPtr no_node;
const std::string no_error;

const peers::registered sentinel{{.name = "alibaba/sentinel-cpp",
                                  .opens_at = "50 % of the calls of 10 s",
                                  .succeed = repeated([] {
                                    if (!closed.TryPass(no_node)) peers::fail("sentinel-cpp refused a call");
                                    opaque_call();
                                    closed.RecordComplete(1, no_error);
                                    opaque_call();
                                  }),
                                  .be_refused = repeated([] {
                                    if (opened.TryPass(no_node)) peers::fail("sentinel-cpp admitted a call");
                                    opaque_call();
                                  }),
                                  .open = [] { opened.RecordComplete(1, "failed"); }}};

}  // namespace
