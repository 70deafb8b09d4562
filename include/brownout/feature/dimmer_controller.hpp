// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <optional>

namespace brownout::inline BROWNOUT_ABI {

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

/// How a `dimmer_controller` moves the share.
struct dimmer_controller_options {
  /// What is left of the error after a period, if the estimate is right: 0 to 0.99. Default 0.95: then a
  /// service whose latency grows up to 40 times as fast as estimated is still held. That of a queue on target
  /// grows nearly as many times as fast as its target has service times. With less the share moves sooner and
  /// wobbles more.
  double pole = 0.95;

  /// What an observation's weight is after another: 0.5 to 0.99. Default 0.9: the last ten count. Simulated
  /// services then settled at most 46 periods after a step of the load; remembering five or twenty, 98
  /// and 84.
  double forgetting = 0.9;

  /// The most that the share rises in a period, 0.001 to 1. Default 0.1: from nobody to everybody in ten, so
  /// that a service that has just recovered is not thrown back. It falls as fast as it must.
  double fastest_rise = 0.1;

  /// The share to begin with, 0 to 1. Default 1: nothing is dimmed before there is a reason.
  double share = 1;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_within("dimmer_controller_options.pole", pole, 0.0, 0.99);
    detail::require_within("dimmer_controller_options.forgetting", forgetting, 0.5, 0.99);
    detail::require_within("dimmer_controller_options.fastest_rise", fastest_rise, 0.001, 1.0);
    detail::require_within("dimmer_controller_options.share", share, 0.0, 1.0);
  }
};

namespace detail {

/// How much burden (1: on target) the optional code brings if everybody is served it: the slope of a line
/// through the origin, by recursive least squares with forgetting, which here are two sums.
///
/// A belief of fixed weight is part of them, so that the estimate is never 0, and neither runs away nor blows
/// up while the share stays near 0 and nothing is learned.
class optional_burden {
 public:
  explicit constexpr optional_burden(double forgetting) noexcept : forgetting_{forgetting} {}

  constexpr void note(double share, double burden) noexcept {
    squares_ = forgetting_ * squares_ + share * share;
    products_ = forgetting_ * products_ + share * burden;
  }
  [[nodiscard]] constexpr double estimate() const noexcept {
    return (products_ + weight * believed) / (squares_ + weight);
  }

 private:
  static constexpr double believed = 1;   // serving everybody is just on target: dims neither soon nor late
  static constexpr double weight = 0.01;  // as much as one period in which a tenth is served

  double forgetting_;
  double squares_ = 0;
  double products_ = 0;
};

}  // namespace detail

/// Sets a `dimmer` so that a target is kept: serves optional code to as many callers as there is capacity
/// for.
///
/// Once a period it is told what was measured in it, and answers with the share for the next:
///
///     share += (1 - pole) / effect * (1 - burden), within [0, 1]
///
/// the adaptive controller of Klein, Maggio, Arzen and Hernandez-Rodriguez ("Brownout: Building More Robust
/// Cloud Applications", ICSE 2014), `effect` being their estimate of how much the optional code costs, and
/// `burden` what was measured, as a share of the target. Different from theirs: a burden counts as at most
/// ten, a belief holds the estimate where nothing can be learned, and the share rises by at most
/// `fastest_rise`. Without these, five periods at 600 times the target keep the share down for 123 more; with
/// them for 32.
///
/// The share is all the integral there is, so nothing winds up at either end. Where the optional code makes
/// no difference, the share goes to 0 beyond the target and to 1 below it.
///
/// A period must be longer than what it measures, or the controller judges a share by the callers of an
/// earlier one, and so long that a mean of it means something: a second and a hundred calls are a start. On
/// target is the mean over the periods. A percentile of each is not that of all calls: those of one second
/// are alike, and more of all are slower.
///
///     dimmer_controller latency{latency_target{200ms}};
///     latency.update(p95_of_the_last_second);  // nullopt: nothing was measured
///     recommendations.set(latency.share());
///
/// Deterministic; reads no clock. Not thread-safe: the caller locks. Never allocates.
template <dimmer_target Target>
class dimmer_controller {
 public:
  using measurement = typename Target::measurement;

  /// A burden beyond this counts as this: the share then falls as fast as it can and the estimate is not
  /// ruined by a stall, which says nothing of what optional code costs.
  static constexpr double greatest_burden = 10;

  /// Throws `std::invalid_argument` naming field, value and range.
  explicit dimmer_controller(Target target, dimmer_controller_options options = {})
      : target_{target}, options_{options}, effect_{options.forgetting}, share_{options.share} {
    target_.validate();
    options_.validate();
  }

  /// A period is over in which `share()` was in force. False, and nothing changes, when nothing was measured
  /// in it, or what is no measurement (see `Target::burden`). Calls that hang leave nothing to measure: count
  /// those in flight by their age.
  bool update(std::optional<measurement> measured) noexcept {
    if (!measured) return false;
    const auto burden = target_.burden(*measured);
    if (!burden) return false;
    const double counted = (std::min)(*burden, greatest_burden);
    effect_.note(share_, counted);
    const double change = (1 - options_.pole) / effect_.estimate() * (1 - counted);
    share_ = std::clamp(share_ + (std::min)(change, options_.fastest_rise), 0.0, 1.0);
    return true;
  }

  /// The share of callers to be served now, 0 to 1.
  [[nodiscard]] double share() const noexcept { return share_; }

  /// Someone else, such as an operator, has set the share; goes on from there. Precondition: it is in [0, 1].
  void go_on_from(double share) noexcept {
    BROWNOUT_PRECONDITION(share >= 0 && share <= 1, "dimmer_controller::go_on_from(): a share is in [0, 1]");
    share_ = share;
  }

  /// The estimated burden (1: on target) that the optional code brings if everybody is served it; more
  /// than 0. For people: it holds near the present share only.
  [[nodiscard]] double effect() const noexcept { return effect_.estimate(); }

 private:
  Target target_;
  dimmer_controller_options options_;
  detail::optional_burden effect_;
  double share_;
};

}  // namespace brownout::inline BROWNOUT_ABI
