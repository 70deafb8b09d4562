// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "decisions/levels/figures.hpp"

#include <string>

namespace decisions::levels {

/// Writes into a directory that exists:
/// - `decisions-levels.svg`: the price of each policy, and what it is made of, mean over the traces;
/// - `decisions-levels-traces.svg`: in which traces.
void write_plots(const figures& found, const std::string& directory);

}  // namespace decisions::levels
