// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Whether a system can do without a dependency. This is not its weight: what serves half of the features may
/// still be optional, and what every request needs may seldom be asked.
enum class criticality : std::uint8_t {
  optional,  ///< however many of these fail, the service is still worth sending requests to
  standard,  ///< it counts by its weight
  required,  ///< without it nothing works: the system is never better than it
};

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

/// What one dependency means to the system.
struct component_role {
  double weight = 1;  ///< relative to the others', 0 to 1e9
  brownout::criticality criticality = brownout::criticality::standard;

  /// Other dependencies, by number, that it stands on: while one of them is unwell, it is trusted less,
  /// though what has been seen of it looks well. No cycles.
  std::vector<std::size_t> depends_on{};
};

}  // namespace brownout::inline BROWNOUT_ABI
