// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/health/component_score.hpp"

#include <cstdint>
#include <optional>

namespace brownout {

/// How the scores of several dependencies become one.
enum class weighting : std::uint8_t {
  /// The sum of weight x score: many small troubles add up, one small one hardly shows.
  mean,

  /// The worst of 100 - (weight / greatest weight) x (100 - score): the system is as well as its sickest
  /// part, as far as that part matters. At a score of 0 or 100 this is the weighted minimum of Dubois and
  /// Prade ("Weighted minimum and maximum operations in fuzzy set theory", Information Sciences 39, 1986), in
  /// between it is linear.
  minimum,
};

/// How evidence becomes the system's score.
struct scorer_options {
  component_policy component{};

  weighting combine = weighting::mean;

  /// What an unknown dependency counts as, 0 to 100. Nothing, the default: it is left out, and the others
  /// share its weight. 0 is for those who would rather be told of an outage too much. Then there is always a
  /// score, and `minimum_known` says nothing.
  std::optional<double> unknown_as{};

  /// The share of the weight that must be known before there is a score, 0 to 1. Default 0.5: when most
  /// signals have vanished at once, what is left speaks for too little, and the detector is likelier broken
  /// than everything else (Envoy's panic threshold is 50 % as well).
  double minimum_known = 0.5;

  /// How far optional dependencies alone may take the score down, 0 to 100. Default 0: all the way. A
  /// supervisor sets it so that they never take the system's readiness away.
  double optional_floor = 0;

  /// How much of its score a component loses when something that it depends on scores 0, in [0, 1]. Default
  /// 0.5: what has been seen of it was well, and what will be seen is likely not to be.
  double cascade = 0.5;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    component.validate();
    if (unknown_as) detail::require_within("scorer_options.unknown_as", *unknown_as, 0.0, 100.0);
    detail::require_within("scorer_options.minimum_known", minimum_known, 0.0, 1.0);
    detail::require_within("scorer_options.optional_floor", optional_floor, 0.0, 100.0);
    detail::require_within("scorer_options.cascade", cascade, 0.0, 1.0);
  }
};

}  // namespace brownout
