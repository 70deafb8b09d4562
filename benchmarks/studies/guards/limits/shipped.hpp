// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/limits/limiter.hpp"

#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

namespace studies::guards {

/// The adaptive limit of this library, in virtual time.
class shipped final : public limiter {
 public:
  explicit shipped(const brownout::adaptive_limit_options& options) : limit_{options, clock_} {}

  bool admits(const request& one, int /*in_flight*/, double now) override {
    set(now);
    auto admitted = limit_.try_acquire(static_cast<brownout::call_priority>(one.priority), one.caller);
    if (!admitted) return false;
    places_.emplace(one.number, *std::move(admitted));
    return true;
  }
  void started(const request& one, double now) override {
    set(now);
    places_.at(one.number).started();
  }
  void ended(const request& one, double now) override {
    set(now);
    places_.at(one.number).complete(brownout::outcome::success);
    places_.erase(one.number);
  }

 private:
  using limit = brownout::adaptive_limit<brownout::manual_clock>;

  void set(double now) {
    clock_.set(brownout::time_point{brownout::duration{static_cast<std::int64_t>(now * 1e9)}});
  }

  brownout::manual_clock clock_{};
  limit limit_;
  std::unordered_map<std::size_t, limit::permit> places_{};
};

}  // namespace studies::guards
