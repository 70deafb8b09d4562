// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/invalid_option.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/component_score.hpp"

#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace brownout {

/// What one dependency adds to the system's score.
struct contribution {
  double weight = 0;  ///< its share of the known weight, in [0, 1]; 0 when the dependency is unknown
  std::optional<double> score;  ///< its own, 0 to 100; nothing when unknown
  double points = 0;            ///< weight x score: the points of all components sum to the system's score
};

/// The system's health and where it comes from.
struct health_report {
  std::optional<double> score;           ///< 0 to 100; nothing while no component is known
  std::vector<contribution> components;  ///< one a dependency, in the scorer's order
};

/// Sums the health of several dependencies up to one score: the weighted mean of those that are known.
///
/// Immutable after construction, so thread-safe. `score` allocates its report.
class scorer {
 public:
  static constexpr double most_weight = 1e9;

  /// One weight a dependency, each 0 to `most_weight`, their sum above 0; they are normalised to 1. Throws
  /// `std::invalid_argument` naming field, value and range.
  explicit scorer(std::vector<double> weights, latency_budget latency = {})
      : weights_{std::move(weights)}, latency_{latency} {
    latency_.validate();
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      detail::require_within("scorer.weights[" + std::to_string(i) + "]", weights_[i], 0.0, most_weight);
    }
    const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    if (!(sum > 0)) {
      detail::invalid_option("sum of scorer.weights", std::to_string(sum), "above 0");
    }
    for (auto& weight : weights_) weight /= sum;
  }

  /// Precondition: one piece of evidence for each weight, in the same order.
  [[nodiscard]] health_report score(std::span<const component_evidence> evidence) const {
    BROWNOUT_PRECONDITION(evidence.size() == weights_.size(), "scorer::score() needs one evidence a weight");
    health_report report;
    report.components.resize(weights_.size());
    double known = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      report.components[i].score = component_score(evidence[i], latency_);
      if (report.components[i].score) known += weights_[i];
    }
    if (!(known > 0)) return report;
    double total = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      auto& component = report.components[i];
      if (!component.score) continue;
      component.weight = weights_[i] / known;
      component.points = component.weight * *component.score;
      total += component.points;
    }
    // To a millionth: sums of weights such as 0.15 must meet a threshold of 70 exactly, not miss it by a
    // rounding.
    report.score = std::round(total * 1e6) / 1e6;
    return report;
  }

  [[nodiscard]] std::span<const double> weights() const noexcept { return weights_; }

 private:
  std::vector<double> weights_;
  latency_budget latency_;
};

}  // namespace brownout
