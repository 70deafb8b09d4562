// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// What one dependency adds to the system's score, and what it takes away.
struct contribution {
  double weight = 0;  ///< its share of the weight that counts, in [0, 1]; 0 when it is unknown and left out
  std::optional<double> score{};      ///< 0 to 100, `trust` included; nothing when unknown
  std::optional<double> own_score{};  ///< the same before `trust`: what its own evidence says
  double trust = 1;                   ///< in [0, 1]: below 1 while something that it depends on is unwell
  double points = 0;  ///< weight x score; of a weighted mean, these sum to the score before limits
  double lost =
      0;  ///< points that it takes from 100: of a weighted mean their sum counts, of a minimum the greatest
};

/// What holds the system's score down or up, whatever the weights say.
enum class score_limit : std::uint8_t {
  none,
  required,      ///< a required dependency is worse than the sum: the score is that dependency's
  optional,      ///< optional dependencies alone would take it lower than they may
  thin_evidence  ///< too little of the weight is known: there is no score
};

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

/// The system's health and where it comes from.
struct health_report {
  std::optional<double> score{};           ///< 0 to 100; nothing while too little is known
  std::optional<double> before_limits{};   ///< what the weights alone give; nothing while nothing is known
  score_limit limit = score_limit::none;   ///< why the two differ
  double at_most = 100;                    ///< the worst score of a required dependency, if it is known
  std::size_t limited_by = 0;              ///< which that is, when `at_most` is below 100
  double known_share = 0;                  ///< of the weight, in [0, 1]
  std::vector<contribution> components{};  ///< one a dependency, in the scorer's order
};

}  // namespace brownout::inline BROWNOUT_ABI
