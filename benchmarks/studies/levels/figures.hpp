// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/entrants.hpp"
#include "studies/levels/tally.hpp"
#include "studies/levels/world.hpp"
#include "studies/shared/results.hpp"

#include <cstdint>
#include <optional>

namespace studies::levels {

using figures = results<trace, entrant, tally>;

/// What a flap costs: as much as so many seconds in the wrong level.
inline constexpr double seconds_a_flap = 10;

/// What is measured, each scaled to ten minutes.
[[nodiscard]] std::optional<double> too_good(const tally& run);            ///< seconds
[[nodiscard]] std::optional<double> too_bad(const tally& run);             ///< seconds
[[nodiscard]] std::optional<double> changes(const tally& run);             ///< of the level
[[nodiscard]] std::optional<double> flaps(const tally& run);               ///< turns beyond the truth's
[[nodiscard]] std::optional<double> lateness_to_worse(const tally& run);   ///< seconds
[[nodiscard]] std::optional<double> lateness_to_better(const tally& run);  ///< seconds
[[nodiscard]] std::optional<double> ends_wrong(const tally& run);          ///< in %

/// What a user feels.
[[nodiscard]] std::optional<double> failed_requests(const tally& run);  ///< in 1000 wanted ones
[[nodiscard]] std::optional<double> good_answers(const tally& run);     ///< in 1000 wanted requests
[[nodiscard]] std::optional<double> off_in_vain(const tally& run);      ///< feature-minutes
[[nodiscard]] std::optional<double> shed(const tally& run);             ///< feature-minutes
[[nodiscard]] std::optional<double> on_in_vain(const tally& run);       ///< feature-minutes

/// The price of a run: seconds in the wrong level, and more for each flap. Weighed three ways: a level
/// too good counts as much as one too bad, three times as much, or a third.
[[nodiscard]] std::optional<double> cost(const tally& run);
[[nodiscard]] std::optional<double> cost_of_promises(const tally& run);
[[nodiscard]] std::optional<double> cost_of_caution(const tally& run);

}  // namespace studies::levels
