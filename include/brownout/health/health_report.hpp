// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// The part of one dependency in the score of the system.
struct contribution {
  double weight =
      0;  ///< its share of the weight that counts, in [0, 1]; 0 when the dependency is left out as unknown
  std::optional<double> score{};      ///< 0 to 100, with `trust`; empty when unknown
  std::optional<double> own_score{};  ///< the score by its own evidence, without `trust`
  double trust = 1;   ///< factor in [0, 1]; below 1 while a dependency that it needs is unwell
  double points = 0;  ///< weight x score; with a weighted mean, the points sum to the score before limits
  double lost =
      0;  ///< points that it takes from 100; a weighted mean adds them up, a minimum takes the greatest
  double refused = 0;  ///< share of calls that its full limit refused, if `own_score` is low for that
};

/// What limits the score of the system apart from the weights.
enum class score_limit : std::uint8_t {
  none,
  required,      ///< a required dependency has a lower score, and the system takes it over
  optional,      ///< optional dependencies alone would take the score below their floor
  thin_evidence  ///< too little of the weight is known, so there is no score
};

/// The name of the limit.
[[nodiscard]] constexpr std::string_view to_string(score_limit limit) noexcept {
  switch (limit) {
    case score_limit::none:
      return "none";
    case score_limit::required:
      return "required";
    case score_limit::optional:
      return "optional";
    case score_limit::thin_evidence:
      return "thin_evidence";
  }
  return "invalid";
}

/// The health of the system and what it consists of.
struct health_report {
  std::optional<double> score{};           ///< 0 to 100; empty while too little is known
  std::optional<double> before_limits{};   ///< the score by weights alone; empty while nothing is known
  score_limit limit = score_limit::none;   ///< why the two differ
  double at_most = 100;                    ///< the worst known score of a required dependency
  std::size_t limited_by = 0;              ///< the number of that dependency, when `at_most` is below 100
  double known_share = 0;                  ///< share of the weight that is known, in [0, 1]
  std::vector<contribution> components{};  ///< one for each dependency, in the order of the roles
};

}  // namespace brownout::inline BROWNOUT_ABI
