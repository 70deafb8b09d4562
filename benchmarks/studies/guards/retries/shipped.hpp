// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/retries/client.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/preset.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"

#include <cstdint>
#include <utility>

namespace studies::guards {

/// The retry and its budget, as they are shipped.
class shipped_retry final : public client {
 public:
  shipped_retry(timeline& line, brownout::duration limit, const brownout::retry_budget_options& options)
      : budget_{options, virtual_clock{line}},
        guarded_{virtual_clock{line}, brownout::retry{.budget = &budget_, .idempotent = true},
                 brownout::timeout{.limit = limit}} {}

  bool call(brownout::time_point deadline, const attempt& make) override {
    return is_success(guarded_.try_call(
        {.deadline = deadline}, [&](const brownout::call_context& one) { return make(one.deadline); }));
  }

 private:
  brownout::retry_budget budget_;
  decltype(brownout::pipeline{std::declval<virtual_clock>(), std::declval<brownout::retry>(),
                              std::declval<brownout::timeout>()}) guarded_;
};

/// The same with the default breaker.
class shipped_retry_and_breaker final : public client {
 public:
  shipped_retry_and_breaker(timeline& line, brownout::duration limit,
                            const brownout::retry_budget_options& options, std::uint64_t seed)
      : budget_{options, virtual_clock{line}},
        breaker_{brownout::standard_detector{}, {.name = "dependency", .seed = seed}, virtual_clock{line}},
        guarded_{virtual_clock{line}, brownout::retry{.budget = &budget_, .idempotent = true}, breaker_,
                 brownout::timeout{.limit = limit}} {}

  bool call(brownout::time_point deadline, const attempt& make) override {
    return is_success(guarded_.try_call(
        {.deadline = deadline}, [&](const brownout::call_context& one) { return make(one.deadline); }));
  }

 private:
  using breaker = brownout::circuit_breaker<brownout::standard_detector, virtual_clock>;

  brownout::retry_budget budget_;
  breaker breaker_;
  decltype(brownout::pipeline{std::declval<virtual_clock>(), std::declval<brownout::retry>(),
                              std::declval<breaker&>(), std::declval<brownout::timeout>()}) guarded_;
};

}  // namespace studies::guards
