// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "catch2.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/rate_limiter.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/sliding_window.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>

/// Guards of all kinds around code of the user that does what it should not.
namespace guard_test {

using namespace std::chrono_literals;
using brownout::adaptive_limit;
using brownout::bulkhead;
using brownout::call_context;
using brownout::call_rejected;
using brownout::circuit_breaker;
using brownout::circuit_state;
using brownout::consecutive_failures;
using brownout::fallback;
using brownout::ignoring_deadline;
using brownout::last_good;
using brownout::manual_clock;
using brownout::outcome;
using brownout::per_second;
using brownout::pipeline;
using brownout::rate_limiter;
using brownout::rejection_reason;
using brownout::result;
using brownout::retry;
using brownout::retry_budget;
using brownout::sliding_window;
using brownout::timeout;

/// Code of the user. For each type of a function all guards around it are compiled again, so these have one.
using function = std::function<int(const call_context&)>;

/// One guard of each kind.
struct guards {
  manual_clock clock{};
  circuit_breaker<consecutive_failures, manual_clock> database{
      consecutive_failures{100}, {.name = "database"}, clock};
  rate_limiter<manual_clock> quota{{.name = "quota", .rate = per_second(1000), .burst = 1000}, clock};
  sliding_window<manual_clock> counted{{.name = "counted", .rate = per_second(1000)}, clock};
  bulkhead<> places{{.name = "places", .limit = 3}};
  adaptive_limit<manual_clock> limit{{.name = "limit", .latency_budget = 1s}, clock};
  retry_budget budget{{.least = 1000}, clock};

  /// All of them around a call.
  [[nodiscard]] auto around(std::uint32_t tries = 3) {
    return pipeline{clock,
                    timeout{.limit = 1h},
                    retry{.tries = tries, .budget = &budget, .idempotent = true},
                    database,
                    quota,
                    counted,
                    places,
                    limit,
                    timeout{.limit = 1min}};
  }
  [[nodiscard]] bool nothing_in_flight() const {
    return places.snapshot().in_flight == 0 && limit.snapshot().in_flight == 0;
  }
};

struct throwing_classifier {
  [[nodiscard]] outcome operator()(int) const { throw std::runtime_error{"classifier"}; }
  [[nodiscard]] outcome threw(const std::exception_ptr&) const { throw std::runtime_error{"classifier"}; }
};

struct broken_stage {
  template <class R, class Next>
  result<R> around(const call_context&, const Next&) const {
    throw std::runtime_error{"stage"};
  }
};
/// Makes two attempts.
struct calling_twice {
  template <class R, class Next>
  result<R> around(const call_context& context, const Next& next) const {
    static_cast<void>(next(context));
    auto second = context;
    second.now = call_context::unknown;
    return next(second);
  }
};
/// Makes a context of its own instead of changing the one that it is given.
struct forgetting_context {
  template <class R, class Next>
  result<R> around(const call_context&, const Next& next) const {
    return next(call_context{.priority = brownout::call_priority::sheddable});
  }
};

}  // namespace guard_test
