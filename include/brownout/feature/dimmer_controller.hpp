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

/// The target of a `dimmer_controller`.
///
/// Beyond the syntax: `burden` is pure. It is 0 at best, 1 on target and more beyond the target, in
/// proportion to the measurement. It is empty for a value that is no measurement. `validate` throws
/// `std::invalid_argument`.
//
// Version 14 would break its lines before noexcept.
// clang-format off
template <class T>
concept dimmer_target = std::copyable<T> &&
    requires(const T& target, const typename T::measurement& measured) {
  target.validate();
  { target.burden(measured) } noexcept -> std::same_as<std::optional<double>>;
};
// clang-format on

/// Keeps a latency at most this long. The latency is a mean or a percentile, as the service measures it. A
/// mean is kept most exactly; a high percentile varies more from period to period.
struct latency_target {
  /// A latency, in seconds.
  using measurement = std::chrono::duration<double>;

  /// The longest latency: 1 us to 1 h. No default, because only the service knows what is too slow.
  duration longest{};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    using namespace std::chrono_literals;
    detail::require_within("latency_target.longest", longest, 1us, 1h);
  }

  /// The measured latency as a share of `longest`. Empty for NaN, infinity and negative values.
  [[nodiscard]] std::optional<double> burden(measurement measured) const noexcept {
    if (!std::isfinite(measured.count()) || measured.count() < 0) return std::nullopt;
    return measured / std::chrono::duration<double>{longest};
  }
};

/// Keeps a score, 0 (worst) to 100, at least this high, for example the score of a `scorer`.
struct score_target {
  /// A score, from 0 to 100.
  using measurement = double;

  /// The lowest score: 1 to 99 points. No default, because only the service knows what is too low.
  double least{};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const { detail::require_within("score_target.least", least, 1.0, 99.0); }

  /// The points missing to 100, as a share of the points that may be missing. Empty for NaN and for values
  /// outside 0 to 100.
  [[nodiscard]] std::optional<double> burden(measurement measured) const noexcept {
    if (!(measured >= 0 && measured <= 100)) return std::nullopt;
    return (100 - measured) / (100 - least);
  }
};

/// Options of a `dimmer_controller`.
struct dimmer_controller_options {
  /// The share of the error that is left after one period if the estimate is right: 0 to 0.99. Default 0.95:
  /// a service whose latency grows up to 40 times as fast as estimated is still held. The latency of a queue
  /// on target grows nearly that much faster for a target of 40 service times. A smaller value moves the
  /// share sooner and makes it vary more.
  double pole = 0.95;

  /// Factor by which the weight of an observation falls with each later one: 0.5 to 0.99. Default 0.9: about
  /// the last ten observations count. Simulated services then settled at most 46 periods after a step of the
  /// load; with five or twenty observations after 98 and 84.
  double forgetting = 0.9;

  /// The most that the share rises in one period: 0.001 to 1. Default 0.1: from 0 to 1 in ten periods, so
  /// that a service that has just recovered is not overloaded again. The fall of the share is not limited.
  double fastest_rise = 0.1;

  /// The share at first: 0 to 1. Default 1: nothing is dimmed at first.
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

/// Estimates the burden (1: on target) of the optional code if every caller gets it: the slope of a line
/// through the origin, by recursive least squares with forgetting. With one parameter these are two sums.
///
/// A prior of fixed weight is part of the sums. The estimate is therefore never 0, and it stays bounded while
/// the share is near 0 and there is nothing to learn from.
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

/// Sets the share of a `dimmer` so that a target is kept: as many callers get the optional code as there is
/// capacity for.
///
/// The service reports a measurement once each period. The controller answers with the share for the next
/// period:
///
///     share += (1 - pole) / effect * (1 - burden), within [0, 1]
///
/// `effect` is the estimated cost of the optional code. `burden` is the measurement as a share of the target.
///
/// **Source.** The adaptive controller of Klein, Maggio, Arzen and Hernandez-Rodriguez ("Brownout: Building
/// More Robust Cloud Applications", ICSE 2014), with three changes: a burden counts as at most ten, a prior
/// holds the estimate while there is nothing to learn, and the share rises by at most `fastest_rise`. Five
/// periods at 600 times the target keep the share down for 32 further periods; without the changes, for 123.
///
/// **Limits.** The share is the only integral, so there is no wind-up at 0 or 1. If the optional code makes
/// no difference, the share goes to 0 above the target and to 1 below it.
///
/// **Period.** A period must be longer than the calls that it measures, and hold enough of them: one second
/// and a hundred calls are a start. The mean over the periods is kept on target. The mean of percentiles of
/// single seconds is lower than the percentile of all calls.
///
///     dimmer_controller latency{latency_target{200ms}};
///     latency.update(p95_of_the_last_second);  // nullopt if nothing was measured
///     recommendations.set(latency.share());
///
/// Deterministic; does not read a clock. Not thread-safe: the caller locks. Never allocates.
template <dimmer_target Target>
class dimmer_controller {
 public:
  /// What the target measures.
  using measurement = typename Target::measurement;

  /// A greater burden counts as this one. A stall is no evidence about the cost of the optional code, and
  /// would spoil the estimate for a long time.
  static constexpr double greatest_burden = 10;

  /// Throws `std::invalid_argument` naming field, value and range.
  explicit dimmer_controller(Target target, dimmer_controller_options options = {})
      : target_{target}, options_{options}, effect_{options.forgetting}, share_{options.share} {
    target_.validate();
    options_.validate();
  }

  /// Takes the measurement of a period in which `share()` was in force. Returns false and changes nothing
  /// when the measurement is empty or no measurement (see `Target::burden`). A call that hangs has no latency
  /// yet: measure calls in flight by their age.
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

  /// The share of callers to serve now, 0 to 1.
  [[nodiscard]] double share() const noexcept { return share_; }

  /// Continues from a share that was set elsewhere, for example by an operator. Precondition: it is in [0,
  /// 1].
  void go_on_from(double share) noexcept {
    BROWNOUT_PRECONDITION(share >= 0 && share <= 1, "dimmer_controller::go_on_from(): a share is in [0, 1]");
    share_ = share;
  }

  /// The estimated burden (1: on target) of the optional code if every caller gets it; above 0. For display:
  /// the estimate holds near the present share only.
  [[nodiscard]] double effect() const noexcept { return effect_.estimate(); }

 private:
  Target target_;
  dimmer_controller_options options_;
  detail::optional_burden effect_;
  double share_;
};

}  // namespace brownout::inline BROWNOUT_ABI
