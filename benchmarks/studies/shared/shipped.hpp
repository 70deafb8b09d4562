// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/policy.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"

#include <optional>
#include <utility>

namespace studies {

/// A breaker as it is shipped, in virtual time.
template <brownout::detector Detector = brownout::standard_detector>
class shipped {
 public:
  /// Tells the time of the decision that is being made.
  struct clock {
    const nanoseconds* told;
    [[nodiscard]] brownout::time_point now() const noexcept { return brownout::time_point{*told}; }
  };
  using breaker = brownout::circuit_breaker<Detector, clock>;
  using permit = typename breaker::permit;

  explicit shipped(Detector detector = {}, brownout::breaker_options options = {})
      : breaker_{detector, std::move(options), clock{&now_}} {}

  std::optional<permit> admit(nanoseconds now) {
    now_ = now;
    if (auto admitted = breaker_.try_acquire()) return *std::move(admitted);
    return std::nullopt;
  }
  void report(permit ended, nanoseconds now, bool failed) {
    now_ = now;
    ended.complete(failed ? brownout::outcome::failure : brownout::outcome::success);
  }

 private:
  nanoseconds now_{};
  breaker breaker_;
};
static_assert(decision_policy<shipped<>>);

}  // namespace studies
