// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/caller_place.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// Options of a `feature_trial`.
struct feature_trial_options {
  /// The share of callers without the feature: 0.001 to 0.999. Default 0.1: nine in ten callers keep it, and
  /// the confidence interval is 5/3 as wide as with 0.5 at the same number of calls.
  double share_off = 0.1;

  /// Which callers are without it: any number. Default 0. Trials that run at the same time need different
  /// salts. The salts of dimmers do not matter.
  std::uint64_t salt = 0;

  /// Observations that each side needs for an answer: 30 to 2^32 - 1. Default 200, because costs are skewed:
  /// for log-normal costs (sigma 1) and a share of 0.1, the interval holds the true difference in 91 % of
  /// trials with 30 observations on the smaller side, and in 93.5 % with 200.
  std::uint32_t fewest = 200;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_within("feature_trial_options.share_off", share_off, 0.001, 0.999);
    detail::require_within<std::uint32_t>("feature_trial_options.fewest", fewest, 30, 0xffff'ffff);
  }
};

/// The measured cost of a feature.
struct feature_cost {
  double with = 0;              ///< mean cost with the feature
  double without = 0;           ///< mean cost without the feature
  double difference = 0;        ///< with - without: the cost of the feature
  double least = 0;             ///< the difference is at least this, ...
  double most = 0;              ///< ... and at most this: 95 % confidence, both ends together
  std::uint64_t n_with = 0;     ///< observations
  std::uint64_t n_without = 0;  ///< observations without the feature

  /// Whether the feature has a cost (or a saving): the interval does not hold 0. A feature without any cost
  /// passes this test by chance in one of twenty looks.
  [[nodiscard]] constexpr bool significant() const noexcept { return least > 0 || most < 0; }
};

namespace detail {

/// Mean and variance of a stream of numbers (Welford, "Note on a method for calculating corrected sums of
/// squares and products", Technometrics 4, 1962). It keeps no sum of squares, which would lose digits.
class running_mean {
 public:
  constexpr void note(double value) noexcept {
    ++count_;
    const double from_old = value - mean_;
    mean_ += from_old / static_cast<double>(count_);
    squares_ += from_old * (value - mean_);
  }
  [[nodiscard]] constexpr std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] constexpr double mean() const noexcept { return mean_; }
  /// Of the mean. Precondition: two or more were seen.
  [[nodiscard]] constexpr double variance_of_mean() const noexcept {
    const auto count = static_cast<double>(count_);
    return squares_ / (count - 1) / count;
  }

 private:
  std::uint64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;  // of the distances from the mean
};

/// The 97.5 % quantile of Student's t distribution, by the asymptotic expansion from the normal quantile
/// (Abramowitz, Stegun, "Handbook of Mathematical Functions", 26.7.5). The error is below 1e-6 from 29
/// degrees of freedom on.
[[nodiscard]] constexpr double t_97_5(double degrees) noexcept {
  constexpr double x = 1.959963984540054;
  constexpr double x2 = x * x;
  constexpr double g1 = x * (x2 + 1) / 4;
  constexpr double g2 = x * ((5 * x2 + 16) * x2 + 3) / 96;
  constexpr double g3 = x * (((3 * x2 + 19) * x2 + 17) * x2 - 15) / 384;
  const double step = 1 / degrees;
  return x + step * (g1 + step * (g2 + step * g3));
}

}  // namespace detail

/// Measures what a feature costs, by switching it off for a stable share of the callers.
///
///     const bool on = trial.serves(caller);
///     ... // with or without the feature
///     trial.note(on, milliseconds_taken);
///
/// The result is the difference of the means and its 95 % confidence interval by Welch ("The generalization
/// of 'Student's' problem when several different population variances are involved", Biometrika 34, 1947).
/// The two sides may differ in number and variance. The method assumes independent observations. Many calls
/// of one caller, or of one slow minute, are not independent and make the interval too narrow: note the first
/// call of each caller, or the mean of its calls.
///
/// Thread-safe. `serves` is wait-free; `note` and `result` hold a lock for a few nanoseconds. Never
/// allocates.
class feature_trial {
 public:
  /// Throws `std::invalid_argument` naming field, value and range.
  explicit feature_trial(feature_trial_options options = {}) : options_{options} { options_.validate(); }

  /// Whether this caller gets the feature. The answer for a caller never changes. A caller is a number or a
  /// text.
  [[nodiscard]] bool serves(std::uint64_t caller) const noexcept {
    return caller_place(caller, options_.salt ^ apart) >= options_.share_off;
  }
  /// As above, for a caller that is a text.
  [[nodiscard]] bool serves(std::string_view caller) const noexcept {
    return caller_place(caller, options_.salt ^ apart) >= options_.share_off;
  }

  /// Takes the cost of one call, such as its latency, in one unit of your choice. `on`: whether the call ran
  /// with the feature. A cost that is not finite is ignored; `ignored` counts it.
  void note(bool on, double cost) noexcept {
    const std::lock_guard lock{mutex_};
    if (!std::isfinite(cost)) {
      ++ignored_;
      return;
    }
    (on ? with_ : without_).note(cost);
  }

  /// The cost of the feature. Empty while one side has fewer than `fewest` observations.
  [[nodiscard]] std::optional<feature_cost> result() const noexcept {
    const auto [with, without] = seen();
    if ((std::min)(with.count(), without.count()) < options_.fewest) return std::nullopt;
    const double one = with.variance_of_mean();
    const double other = without.variance_of_mean();
    const double variance = one + other;
    feature_cost cost{.with = with.mean(),
                      .without = without.mean(),
                      .difference = with.mean() - without.mean(),
                      .n_with = with.count(),
                      .n_without = without.count()};
    double margin = 0;  // if the costs never vary, the mean is exact
    if (variance > 0) {
      // Welch and Satterthwaite; as shares of the variance, so that no square is too great or too small.
      const double a = one / variance;
      const double b = other / variance;
      const double degrees = 1 / (a * a / (static_cast<double>(with.count()) - 1) +
                                  b * b / (static_cast<double>(without.count()) - 1));
      margin = detail::t_97_5(degrees) * std::sqrt(variance);
    }
    cost.least = cost.difference - margin;
    cost.most = cost.difference + margin;
    return cost;
  }

  /// How many costs were ignored because they were not finite.
  [[nodiscard]] std::uint64_t ignored() const noexcept {
    const std::lock_guard lock{mutex_};
    return ignored_;
  }

 private:
  // Dimmers have small salts, the numbers of features: a trial with the same must not draw the same callers.
  static constexpr std::uint64_t apart = 0x7472'6961'6c00'0000U;

  struct sides {
    detail::running_mean with;
    detail::running_mean without;
  };
  sides seen() const noexcept {
    const std::lock_guard lock{mutex_};
    return {with_, without_};
  }

  const feature_trial_options options_;
  mutable std::mutex mutex_{};  // guards everything below
  detail::running_mean with_{};
  detail::running_mean without_{};
  std::uint64_t ignored_ = 0;
};

}  // namespace brownout::inline BROWNOUT_ABI
