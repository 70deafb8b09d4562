// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/trace.hpp"

#include <chrono>
#include <cstdint>
#include <random>

namespace studies {

/// All is well.
inline constexpr phase healthy{};
/// Calls fail at once.
inline constexpr phase refusing{.fails_first = 1, .fails_last = 1};
/// Calls time out.
inline constexpr phase hanging{.fails_first = 1, .fails_last = 1, .fast_share = 0, .timeout_share = 1};

/// Calls are answered only when it is over.
inline constexpr phase standing_still{.stands_still = true};

/// A share of the calls fails, half of them at once.
constexpr phase failing(double share) {
  return {.fails_first = share, .fails_last = share, .fast_share = 0.5};
}

/// Tells what happens, one phase after the other, each for about as long as said.
class story {
 public:
  explicit story(std::uint64_t seed) : random_{seed} {}

  story& then(phase what, nanoseconds about) {
    what.begins = at_;
    told_.phases.push_back(what);
    at_ += varied(about);
    return *this;
  }
  /// The dependency is cold from here on.
  story& cold(double failures, nanoseconds warms_up) {
    told_.cold = {at_, failures, warms_up};
    return *this;
  }
  /// Callers try again.
  story& repeated(int attempts, nanoseconds pause) {
    told_.repeated = {attempts, pause};
    return *this;
  }
  /// Both in turn until about `about` has passed.
  story& alternately(const phase& one, nanoseconds about_one, const phase& other, nanoseconds about_other,
                     nanoseconds about) {
    const auto end = at_ + varied(about);
    // One draw for all, so that a seed has a rhythm.
    const auto one_lasts = varied(about_one);
    const auto other_lasts = varied(about_other);
    while (at_ < end) {
      exactly(one, one_lasts);
      exactly(other, other_lasts);
    }
    return *this;
  }
  /// Bursts of `what`, which come at random with `between` between them on average.
  story& bursts(const phase& what, nanoseconds about, nanoseconds between) {
    std::exponential_distribution<double> gap{1 / static_cast<double>(between.count())};
    while (at_ < truth::length) {
      exactly(healthy, nanoseconds{static_cast<std::int64_t>(gap(random_))});
      then(what, about);
    }
    return *this;
  }
  [[nodiscard]] truth for_ever(phase what = healthy) {
    what.begins = at_;
    told_.phases.push_back(what);
    return told_;
  }

 private:
  void exactly(phase what, nanoseconds lasts) {
    what.begins = at_;
    told_.phases.push_back(what);
    at_ += lasts;
  }
  nanoseconds varied(nanoseconds about) {
    const auto factor = std::uniform_real_distribution<double>{0.7, 1.3}(random_);
    return nanoseconds{static_cast<std::int64_t>(factor * static_cast<double>(about.count()))};
  }

  std::mt19937_64 random_;
  truth told_{};
  nanoseconds at_{};
};

/// All is well at first, so that a policy has seen healthy calls.
inline story after_a_while(std::uint64_t seed) {
  story told{seed};
  told.then(healthy, std::chrono::seconds{100});
  return told;
}

}  // namespace studies
