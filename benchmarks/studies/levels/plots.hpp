// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/figures.hpp"

#include <string>

namespace studies::levels {

/// Writes into a directory that exists:
/// - `levels.svg`: the price of each policy, and what it is made of, mean over the listed traces;
/// - `levels-held-out.svg`: the same over the traces that nothing was tuned on;
/// - `levels-traces.svg`: in which traces.
void write_plots(const figures& found, const std::string& directory);

}  // namespace studies::levels
