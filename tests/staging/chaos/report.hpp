// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/chaos/campaign.hpp"

#include <string>
#include <vector>

namespace staging_chaos {

/// A table with one row for each kind of case, and every complaint.
[[nodiscard]] std::string text_report(const std::vector<lane_record>& lanes);
/// The first two minutes of a lane as an SVG: faults, circuits and level over time.
[[nodiscard]] std::string timeline_svg(const lane_record& lane);
[[nodiscard]] std::size_t complaints_in(const std::vector<lane_record>& lanes);

}  // namespace staging_chaos
