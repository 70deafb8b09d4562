// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/component_score.hpp"
#include "brownout/health/health_report.hpp"
#include "brownout/health/scorer_options.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Combines the health of several dependencies into one score, 0 to 100.
///
/// `scorer_options::combine` says how. Then optional dependencies alone cannot take the score below
/// `optional_floor`, and a required dependency caps the score at its own. If both apply, the cap wins.
///
/// Immutable after construction, so thread-safe. Time is linear in the number of dependencies.
class scorer {
 public:
  static constexpr double most_weight = 1e9;  ///< the highest weight

  /// `roles`: one for each dependency. A weight is 0 to `most_weight`; their sum is above 0 and is normalised
  /// to 1. `depends_on` names other dependencies without a cycle.
  ///
  /// Throws `std::invalid_argument` naming field, value and range.
  explicit scorer(std::vector<component_role> roles, scorer_options options = {})
      : roles_{std::move(roles)}, options_{options} {
    options_.validate();
    double sum = 0;
    for (std::size_t i = 0; i < roles_.size(); ++i) {
      detail::require_within("scorer.weights[" + std::to_string(i) + "]", roles_[i].weight, 0.0, most_weight);
      sum += roles_[i].weight;
    }
    if (!(sum > 0)) detail::invalid_option("sum of scorer.weights", detail::to_text(sum), "above 0");
    for (auto& role : roles_) {
      role.weight /= sum;
      greatest_ = (std::max)(greatest_, role.weight);
      any_optional_ = any_optional_ || role.criticality == criticality::optional;
    }
    sort_by_dependence();
  }

  /// The health now. Precondition: one piece of evidence for each role, in the order of the roles. Allocates
  /// the report.
  [[nodiscard]] health_report score(std::span<const component_evidence> evidence) const {
    health_report report;
    score(evidence, report);
    return report;
  }

  /// Fills a report that is used again. Allocates only when the report must grow.
  void score(std::span<const component_evidence> evidence, health_report& report) const {
    BROWNOUT_PRECONDITION(evidence.size() == roles_.size(), "scorer::score() needs one evidence a role");
    report.components.assign(roles_.size(), {});
    report.known_share = 0;
    for (const auto i : in_order_) {
      auto& component = report.components[i];
      component.own_score = component_score(evidence[i], options_.component);
      if (!component.own_score) continue;
      component.trust = trust_in(i, report.components);
      component.score = *component.own_score * component.trust;
      if (*component.own_score < 100 && detail::score_of_refusals(evidence[i]) == component.own_score)
        component.refused = evidence[i].refused;
      report.known_share += roles_[i].weight;
    }
    report.before_limits = combined(report.components);
    limit(report);
  }

  /// A dependency's share of the whole weight, in [0, 1].
  [[nodiscard]] double weight(std::size_t number) const noexcept { return roles_[number].weight; }
  /// The roles of the dependencies, by number.
  [[nodiscard]] const std::vector<component_role>& roles() const noexcept { return roles_; }
  /// The options in force.
  [[nodiscard]] const scorer_options& options() const noexcept { return options_; }

 private:
  /// Orders the components: each comes after those that it depends on.
  void sort_by_dependence() {
    const auto is_placed = [this](std::size_t one) {
      return std::count(in_order_.begin(), in_order_.end(), one) > 0;
    };
    for (std::size_t i = 0; i < roles_.size(); ++i) {
      for (const auto other : roles_[i].depends_on) {
        const auto field = "scorer.depends_on of component " + std::to_string(i);
        if (other >= roles_.size()) {
          detail::invalid_option(field, std::to_string(other), "0 to " + std::to_string(roles_.size() - 1));
        }
        if (roles_[other].criticality < roles_[i].criticality &&
            roles_[other].criticality == criticality::optional) {
          detail::invalid_option(field, "the optional " + std::to_string(other),
                                 "a dependency that is not optional, because this one needs it");
        }
      }
    }
    while (in_order_.size() < roles_.size()) {
      const auto before = in_order_.size();
      for (std::size_t i = 0; i < roles_.size(); ++i) {
        const auto& others = roles_[i].depends_on;
        if (!is_placed(i) && std::all_of(others.begin(), others.end(), is_placed)) in_order_.push_back(i);
      }
      if (in_order_.size() > before) continue;
      std::size_t stuck = 0;
      while (is_placed(stuck)) ++stuck;
      detail::invalid_option("scorer.depends_on of component " + std::to_string(stuck), "a cycle",
                             "a component that does not depend on itself, also not through others");
    }
  }

  /// The trust in a component: the factor for its score, by the components that it depends on. The worst of
  /// them decides: two that are down have the same effect as one.
  [[nodiscard]] double trust_in(std::size_t number,
                                const std::vector<contribution>& components) const noexcept {
    double trust = 1;
    for (const auto other : roles_[number].depends_on) {
      const auto& score = components[other].score;
      if (score) trust = (std::min)(trust, 1 - options_.cascade * (1 - *score / 100));
    }
    return trust;
  }

  /// The score by weights alone. Fills in the part of each component.
  [[nodiscard]] std::optional<double> combined(std::vector<contribution>& components) const noexcept {
    double counted = 0;
    for (std::size_t i = 0; i < components.size(); ++i) {
      if (counts_as(components[i])) counted += roles_[i].weight;
    }
    if (!(counted > 0)) return std::nullopt;
    double total = 0;
    double greatest_loss = 0;
    for (std::size_t i = 0; i < components.size(); ++i) {
      auto& component = components[i];
      const auto score = counts_as(component);
      if (!score) continue;
      component.weight = roles_[i].weight / counted;
      component.points = component.weight * *score;
      const double share =
          options_.combine == weighting::mean ? component.weight : roles_[i].weight / greatest_;
      component.lost = share * (100 - *score);
      total += component.points;
      greatest_loss = (std::max)(greatest_loss, component.lost);
    }
    return rounded(options_.combine == weighting::mean ? total : 100 - greatest_loss);
  }

  void limit(health_report& report) const noexcept {
    report.score = report.before_limits;
    report.limit = score_limit::none;
    report.at_most = 100;
    for (std::size_t i = 0; i < roles_.size(); ++i) {
      const auto own = counts_as(report.components[i]);
      if (roles_[i].criticality != criticality::required || !own || *own >= report.at_most) continue;
      report.at_most = rounded(*own);
      report.limited_by = i;
    }
    if (!report.score ||
        (!options_.unknown_as && report.known_share + smallest_share < options_.minimum_known)) {
      report.score.reset();
      report.limit = score_limit::thin_evidence;
      return;
    }
    if (any_optional_ && *report.score < options_.optional_floor) {
      const double least = (std::min)(options_.optional_floor, without_optional(report.components));
      if (least > *report.score) {
        report.score = least;
        report.limit = score_limit::optional;
      }
    }
    if (report.at_most < *report.score) {
      report.score = report.at_most;
      report.limit = score_limit::required;
    }
  }

  /// The score with every optional component at 100. They keep their weight: without it, the losses of the
  /// others would count for more than they do.
  [[nodiscard]] double without_optional(const std::vector<contribution>& components) const noexcept {
    double lost = 0;
    for (std::size_t i = 0; i < components.size(); ++i) {
      if (roles_[i].criticality == criticality::optional) continue;
      lost = options_.combine == weighting::mean ? lost + components[i].lost
                                                 : (std::max)(lost, components[i].lost);
    }
    return rounded(100 - lost);
  }

  [[nodiscard]] std::optional<double> counts_as(const contribution& component) const noexcept {
    return component.score ? component.score : options_.unknown_as;
  }

  // A sum of shares such as 0.1 can be a little below its true value.
  static constexpr double smallest_share = 1e-9;

  /// Rounds to a millionth, so that a sum of weights such as 0.15 meets a threshold of 70 exactly.
  [[nodiscard]] static double rounded(double score) noexcept { return std::round(score * 1e6) / 1e6; }

  std::vector<component_role> roles_;
  scorer_options options_;
  std::vector<std::size_t> in_order_{};  // each after those that it depends on
  double greatest_ = 0;                  // the greatest weight
  bool any_optional_ = false;
};

}  // namespace brownout::inline BROWNOUT_ABI
