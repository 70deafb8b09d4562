// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/fleet/entrants.hpp"
#include "studies/fleet/history.hpp"
#include "studies/fleet/trace.hpp"
#include "studies/shared/results.hpp"

#include <optional>

namespace studies::fleet {

using figures = results<trace, entrant, tally>;

/// Wrong decisions in 1000 wanted calls, as for one client. Nothing under overload, where a refusal can be
/// right while most calls succeed.
[[nodiscard]] std::optional<double> wrong(const tally& run);
[[nodiscard]] std::optional<double> probes_a_second(const tally& run);
[[nodiscard]] std::optional<double> most_probes(const tally& run);
[[nodiscard]] std::optional<double> together(const tally& run);  ///< in %
[[nodiscard]] std::optional<double> load(const tally& run);
[[nodiscard]] std::optional<double> useful(const tally& run);  ///< in %
[[nodiscard]] std::optional<double> recovered_after(const tally& run);

}  // namespace studies::fleet
