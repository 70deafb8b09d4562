// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/guard/rate_limiter.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

namespace guard_test {

using namespace std::chrono_literals;
using brownout::manual_clock;
using brownout::per_hour;
using brownout::per_minute;
using brownout::per_second;
using brownout::rate_limiter;
using brownout::rate_limiter_options;
using brownout::time_point;

/// A rate limiter whose clock is moved by hand.
struct bench {
  explicit bench(rate_limiter_options options) : limiter{std::move(options), clock} {}

  /// How many calls are admitted at this moment.
  std::uint32_t admitted_now() {
    std::uint32_t admitted = 0;
    while (limiter.try_acquire()) ++admitted;
    return admitted;
  }

  manual_clock clock;
  rate_limiter<manual_clock> limiter;
};

struct admitted_call {
  time_point at;
  std::uint32_t tokens;
};

/// By how many tokens the calls exceed burst + rate * w in the worst time w that they span. The oracle of a
/// rate limiter: it knows nothing of how one works.
inline double most_beyond(std::vector<admitted_call> calls, const rate_limiter_options& options) {
  std::sort(calls.begin(), calls.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  // Over all pairs of a first and a last call: the tokens from one to the other, less what came back.
  double worst = -std::numeric_limits<double>::infinity();
  double least_before = std::numeric_limits<double>::infinity();
  double taken = 0;
  for (const auto& one : calls) {
    const std::chrono::duration<double> since = one.at - calls.front().at;
    const auto given = since.count() * options.rate.per_second();
    least_before = std::min(least_before, taken - given);
    taken += one.tokens;
    worst = std::max(worst, taken - given - least_before);
  }
  constexpr double rounding = 1e-6;  // of the oracle's own sums
  return worst - options.burst - rounding;
}

/// The same numbers in every run.
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) : state_{seed} {}
  std::uint64_t below(std::uint64_t limit) {
    state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return (state_ >> 33) % limit;
  }

 private:
  std::uint64_t state_;
};

}  // namespace guard_test
