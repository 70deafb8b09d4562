// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"

#include <chrono>
#include <cmath>
#include <concepts>
#include <optional>

namespace brownout {

/// What a `dimmer_controller` keeps to.
///
/// Beyond the syntax: `burden` is pure. It is 0 at best, 1 on target, more beyond it, in proportion to what
/// is measured; nothing when the measurement is none. `validate` throws `std::invalid_argument`.
template <class T>
concept dimmer_target = std::copyable<T> &&
    requires(const T& target, const typename T::measurement& measured) {
  target.validate();
  { target.burden(measured) }
  noexcept->std::same_as<std::optional<double>>;
};

/// Latency, to be no longer than this: a mean or a percentile, as it is measured. A mean is kept best; the
/// rarer what a percentile looks at, the more it wanders.
struct latency_target {
  using measurement = std::chrono::duration<double>;

  /// 1 us to 1 h. No default: what is too slow only the service knows.
  duration longest{};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    detail::require_within("latency_target.longest", longest, 1us, 1h);
  }

  /// The share of `longest` that was taken; nothing for NaN, infinity and less than none.
  [[nodiscard]] std::optional<double> burden(measurement measured) const noexcept {
    if (!std::isfinite(measured.count()) || measured.count() < 0) return std::nullopt;
    return measured / std::chrono::duration<double>{longest};
  }
};
static_assert(dimmer_target<latency_target>);

/// A score from 0 (worst) to 100, to be no lower than this, such as a `scorer`'s.
struct score_target {
  using measurement = double;

  /// 1 to 99 points. No default: what is too bad only the service knows.
  double least{};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const { detail::require_within("score_target.least", least, 1.0, 99.0); }

  /// The points that are missing to 100, as a share of those that may be missing; nothing for NaN and for
  /// what is no score.
  [[nodiscard]] std::optional<double> burden(measurement measured) const noexcept {
    if (!(measured >= 0 && measured <= 100)) return std::nullopt;
    return (100 - measured) / (100 - least);
  }
};
static_assert(dimmer_target<score_target>);

}  // namespace brownout
