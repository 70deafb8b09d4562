// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/trace.hpp"
#include "studies/shared/traffic.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace studies {

/// Latency of a healthy answer, in nanoseconds.
inline constexpr double healthy_median = 20e6;
inline constexpr double healthy_p99 = 120e6;
inline constexpr double normal_p99 = 2.3263;  // in standard deviations
/// Latencies are log-normal: the standard deviation of their logarithm.
inline const double healthy_spread = std::log(healthy_p99 / healthy_median) / normal_p99;

/// What is linear over a phase, `passed` of the way through it.
inline double between(double first, double last, double passed) {
  return first == last ? first : first + passed * (last - first);
}

/// Where in its phases a run is.
class progress {
 public:
  explicit progress(const truth& what_happens) : phases_{what_happens.phases} {}

  void move_to(nanoseconds now) {
    while (current_ + 1 < phases_.size() && phases_[current_ + 1].begins <= now) ++current_;
    const auto begins = phases_[current_].begins;
    const auto ends = current_ + 1 < phases_.size() ? phases_[current_ + 1].begins : truth::length;
    passed_ = static_cast<double>((now - begins).count()) / static_cast<double>((ends - begins).count());
    left_ = static_cast<double>((ends - now).count());
  }
  [[nodiscard]] const phase& now() const { return phases_[current_]; }
  [[nodiscard]] double failure_probability() const {
    return between(now().fails_first, now().fails_last, passed_);
  }
  [[nodiscard]] double capacity() const {
    return between(now().capacity_first, now().capacity_last, passed_);
  }
  /// How long a call waits for a dependency that stands still, in nanoseconds.
  [[nodiscard]] double standstill() const { return now().stands_still ? left_ : 0; }

 private:
  const std::vector<phase>& phases_;
  std::size_t current_ = 0;
  double passed_ = 0;
  double left_ = 0;
};

/// Draws what becomes of one call after the other.
class fate {
 public:
  /// Callers wait for `timeout` and no longer.
  explicit fate(std::uint64_t seed, nanoseconds timeout = client_timeout)
      : timeout_{static_cast<double>(timeout.count())}, random_{seed} {}

  double gap(double calls_per_second) {
    return std::exponential_distribution<double>{calls_per_second / 1e9}(random_);
  }

  wanted_call draw(nanoseconds at, const progress& where, double calls_per_second) {
    const auto& now = where.now();
    const auto probability = where.failure_probability();
    const auto capacity = where.capacity();
    const auto answer = latency_(random_) * now.latency_factor + where.standstill();
    const auto chance = chance_(random_);
    const bool fails = chance < probability;
    const auto took = fails ? failure_takes(now, answer) : answer;
    return {.at = at,
            .took = static_cast<std::int32_t>(std::min(took, timeout_)),
            .capacity = static_cast<float>(capacity * calls_per_second),
            .chance = static_cast<float>(chance),
            .sheds_load = now.sheds_load,
            .fails = fails || answer >= timeout_,
            .while_bad = probability > 0.5 || capacity < 0.5 || where.standstill() >= timeout_};
  }

 private:
  double failure_takes(const phase& now, double answer) {
    const auto kind = chance_(random_);
    if (kind < now.fast_share) return static_cast<double>(fast_failure.count());
    return kind < now.fast_share + now.timeout_share ? timeout_ : answer;
  }

  double timeout_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> chance_{0, 1};
  std::lognormal_distribution<double> latency_{std::log(healthy_median), healthy_spread};
};

}  // namespace studies
