// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Whether a system can do without a dependency. Criticality is not weight: a dependency of half of the
/// features can be optional, and one that every request needs can have a small weight.
enum class criticality : std::uint8_t {
  optional,  ///< the service stays ready even if every optional dependency fails
  standard,  ///< counts by its weight
  required,  ///< nothing works without it: the score of the system is never above its score
};

/// The criticality in a word: "required".
[[nodiscard]] constexpr std::string_view to_string(criticality value) noexcept {
  switch (value) {
    case criticality::optional:
      return "optional";
    case criticality::standard:
      return "standard";
    case criticality::required:
      return "required";
  }
  return "invalid";
}

/// The role of one dependency in the system.
struct component_role {
  double weight = 1;  ///< relative to the weights of the others: 0 to 1e9
  /// What a bad score of this dependency does to the score of the system.
  brownout::criticality criticality = brownout::criticality::standard;

  /// The numbers of the dependencies that this one needs. While one of them is unwell, this one's score is
  /// lowered, even if its own calls succeed. No cycles.
  std::vector<std::size_t> depends_on{};
};

}  // namespace brownout::inline BROWNOUT_ABI
